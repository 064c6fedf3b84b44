import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { linkSignals } from '../../../src/services/http/link-signals.ts';
import { until } from '../../redis/support/until.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

// Garbage is collected here, on machines that may be busy.
jest.setTimeout(60_000);

describe('linked signals', () => {
  const attempt = (): AbortSignal => new AbortController().signal;

  it('abort with the attempt, and with the caller when the attempt is over', () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const byAttempt = linkSignals(first.signal, attempt());
    const byCaller = linkSignals(attempt(), second.signal);
    first.abort('attempt');
    second.abort('caller');
    expect([byAttempt.reason, byCaller.reason]).toEqual(['attempt', 'caller']);
  });

  it('are that of the attempt where the caller has none, and aborted where that is', () => {
    const { signal } = new AbortController();
    expect(linkSignals(signal, undefined)).toBe(signal);
    expect(linkSignals(AbortSignal.abort('over'), signal)).toMatchObject({ aborted: true, reason: 'over' });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('are not kept by a caller whose signal lives for ever, even with listeners that nobody takes off', async () => {
    const { signal } = new AbortController();
    const links = Array.from({ length: 1000 }, () => link(signal));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await until(() => {
      collect();
      return links.every(each => each.deref() === undefined);
    });
    await until(() => getEventListeners(signal, 'abort').length === 0);
  });

  it('outlive a collection as long as somebody uses them', async () => {
    const caller = new AbortController();
    const linked = linkSignals(attempt(), caller.signal);
    collect();
    await new Promise(resolve => setTimeout(resolve, 20));
    collect();
    caller.abort('enough');
    expect(linked.reason).toBe('enough');
  });

  function link(caller: AbortSignal): WeakRef<AbortSignal> {
    const linked = linkSignals(attempt(), caller);
    linked.addEventListener('abort', () => undefined);
    return new WeakRef(linked);
  }
});
