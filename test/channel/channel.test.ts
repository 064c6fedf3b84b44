import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { channelObserver } from '../../instrumentation/channel/index.ts';
import { retry } from '../../src/core.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { settle } from '../support/settle.ts';

const info = { operation: 'load', maxAttempts: 3, attributes: {} };

describe('the tracing channels', () => {
  it('cost nothing as long as nobody has subscribed', () => {
    expect(channelObserver().call(info)).toBeUndefined();
  });

  it('tell of calls and attempts, in order, with one message for each', async () => {
    const log: unknown[] = [];
    const messages = new Set<object>();
    const subscribers = Object.fromEntries(
      ['call', 'attempt'].map(what => [
        what,
        Object.fromEntries(
          ['start', 'end', 'error', 'asyncStart', 'asyncEnd'].map(event => [
            event,
            (message: object) => {
              messages.add(message);
              const { number, result } = message as { number?: number; result?: { outcome: string } };
              log.push([what, event, number, result?.outcome]);
            },
          ]),
        ),
      ]),
    );
    for (const what of ['call', 'attempt']) tracingChannel(`retryscope:${what}`).subscribe(subscribers[what] as never);
    const clock = new FakeClock();
    const work = ({ number }: { number: number }): number => {
      log.push('work');
      if (number === 1) throw new Error('x');
      return number;
    };
    await settle(clock, retry(work, { clock, observer: channelObserver(), operation: 'load' }));
    for (const what of ['call', 'attempt'])
      tracingChannel(`retryscope:${what}`).unsubscribe(subscribers[what] as never);
    expect(log).toEqual([
      ['call', 'start', undefined, undefined],
      ['call', 'end', undefined, undefined],
      ['attempt', 'start', 1, undefined],
      'work',
      ['attempt', 'end', 1, undefined],
      ['attempt', 'error', 1, 'failure'],
      ['attempt', 'asyncStart', 1, 'failure'],
      ['attempt', 'asyncEnd', 1, 'failure'],
      ['attempt', 'start', 2, undefined],
      'work',
      ['attempt', 'end', 2, undefined],
      ['attempt', 'asyncStart', 2, 'success'],
      ['attempt', 'asyncEnd', 2, 'success'],
      ['call', 'asyncStart', undefined, 'success'],
      ['call', 'asyncEnd', undefined, 'success'],
    ]);
    expect(messages.size).toBe(3);
  });

  it('put a bound store in place inside the attempt, also after it has waited', async () => {
    const storage = new AsyncLocalStorage<unknown>();
    const start = channel('tracing:retryscope:attempt:start');
    start.bindStore(storage, message => (message as { number: number }).number);
    const seen: unknown[] = [];
    const work = async ({ number }: { number: number }): Promise<void> => {
      seen.push(storage.getStore());
      await new Promise(resolve => setTimeout(resolve, 1));
      seen.push(storage.getStore());
      if (number < 2) throw new Error('x');
    };
    await retry(work, { observer: channelObserver(), initialDelay: 1 });
    start.unbindStore(storage);
    expect(seen).toEqual([1, 1, 2, 2]);
    expect(storage.getStore()).toBeUndefined();
  });
});
