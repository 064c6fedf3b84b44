import { AsyncLocalStorage } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { tracingChannel } from 'node:diagnostics_channel';
import { join } from 'node:path';
import { type AttemptMessage, type CallMessage, channelObserver } from '../../instrumentation/channel/index.ts';
import { attempts, retry, retrySync } from '../../src/core.ts';

const observer = channelObserver();
const fast = { observer, initialDelay: 0, operation: 'load' } as const;
const everything = (each: (event: string, message: unknown) => void) =>
  Object.fromEntries(
    ['start', 'end', 'error', 'asyncStart', 'asyncEnd'].map(event => [event, (m: unknown) => each(event, m)]),
  ) as never;

function watch(name: string, each: (event: string, message: never) => void): () => void {
  const subscribers = everything(each as never);
  tracingChannel(name).subscribe(subscribers);
  return () => tracingChannel(name).unsubscribe(subscribers);
}

describe('subscribers', () => {
  it('can tell which attempts belong to a call, and how each ended', async () => {
    const messages: AttemptMessage[] = [];
    const calls: CallMessage[] = [];
    const stops = [
      watch('retryscope:attempt', (event, message) => event === 'asyncEnd' && messages.push(message)),
      watch('retryscope:call', (event, message) => event === 'asyncEnd' && calls.push(message)),
    ];
    const error = Object.freeze(new Error('x'));
    const fail = (): never => {
      throw error;
    };
    await expect(retry(fail, { ...fast, maxAttempts: 2 })).rejects.toBe(error);
    for (const stop of stops) stop();
    expect(messages).toMatchObject([
      { number: 1, operation: 'load', delaySource: 'none', result: { next: 'retry' } },
      { number: 2, operation: 'load', delaySource: 'backoff', result: { next: 'attempts_exhausted' } },
    ]);
    for (const message of messages) {
      expect(message.call).toBe(calls[0]);
      expect(message.error).toBe(error);
    }
    expect(calls).toMatchObject([{ operation: 'load', maxAttempts: 2, result: { reason: 'attempts_exhausted' } }]);
    expect(calls[0]?.error).toBe(error);
  });

  it.each(['retryscope:call', 'retryscope:attempt'])('of %s alone hear of it alone', async name => {
    const events: string[] = [];
    const stop = watch(name, event => events.push(event));
    await retry(() => 1, fast);
    retrySync(() => 1, fast);
    stop();
    await retry(() => 1, fast);
    expect(events).toEqual([1, 2].flatMap(() => ['start', 'end', 'asyncStart', 'asyncEnd']));
  });

  it('that come or go in the middle of a call change nothing', async () => {
    let stop: (() => void) | undefined;
    const value = await retry(({ number }) => {
      if (number === 1) {
        stop = watch('retryscope:call', () => undefined);
        throw new Error('x');
      }
      return number;
    }, fast);
    expect(value).toBe(2);
    const next = retry(() => {
      stop?.();
      return 'ok';
    }, fast);
    await expect(next).resolves.toBe('ok');
  });

  it('hear of an iterator that is broken off', async () => {
    const ends: unknown[] = [];
    const stop = watch(
      'retryscope:call',
      (event, message: CallMessage) => event === 'asyncEnd' && ends.push(message.result),
    );
    for await (const attempt of attempts(fast)) {
      expect(attempt.number).toBe(1);
      break;
    }
    stop();
    expect(ends).toMatchObject([{ outcome: 'failure', reason: 'aborted' }]);
  });

  it('see the store that they bound, in a synchronous attempt as well', () => {
    const storage = new AsyncLocalStorage<unknown>();
    const { start } = tracingChannel<unknown, AttemptMessage>('retryscope:attempt');
    start.bindStore(storage as never, message => (message as AttemptMessage).operation);
    const seen = retrySync(() => storage.getStore(), fast);
    start.unbindStore(storage as never);
    expect(seen).toBe('load');
  });
});

describe('a subscriber that throws', () => {
  const script = (handler: string): string => `
    import { tracingChannel } from 'node:diagnostics_channel';
    import { AsyncLocalStorage } from 'node:async_hooks';
    import { channelObserver } from './instrumentation/channel/index.ts';
    import { retry } from './src/core.ts';
    ${handler}
    const bad = () => { throw new Error('hostile subscriber'); };
    const storage = new AsyncLocalStorage();
    tracingChannel('retryscope:call').subscribe({ start: bad, asyncEnd: bad });
    tracingChannel('retryscope:attempt').subscribe({ start: bad, end: bad, error: bad, asyncStart: bad, asyncEnd: bad });
    tracingChannel('retryscope:attempt').start.bindStore(storage, bad);
    const value = await retry(
      ({ number }) => { if (number < 2) throw new Error('x'); return 'the value'; },
      { observer: channelObserver(), initialDelay: 0 },
    );
    console.log(value);
  `;
  const run = (handler: string) =>
    spawnSync(process.execPath, ['--input-type=module-typescript', '--eval', script(handler)], {
      cwd: join(__dirname, '../..'),
      encoding: 'utf8',
    });

  it('changes nothing for the call where uncaught exceptions are handled', () => {
    const { stdout, status } = run(`
      let caught = 0;
      process.on('uncaughtException', () => { caught++; });
      process.on('exit', () => console.log('caught', caught));
    `);
    expect(stdout).toBe('the value\ncaught 13\n');
    expect(status).toBe(0);
  });

  it('ends the process where they are not, as on any channel of Node', () => {
    const { stderr, status } = run('');
    expect(stderr).toContain('hostile subscriber');
    expect(status).not.toBe(0);
  });
});
