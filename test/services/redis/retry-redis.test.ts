import { ReplyError } from 'ioredis';
import { MaxRetriesPerRequestError } from 'ioredis/built/errors/index.js';
import { RetryBudget, retry, retrySummary } from 'retryscope/core';
import { FakeClock, recordCalls } from 'retryscope/testing';
import {
  type CommandClient,
  isRepeatable,
  type RedisRetryOptions,
  redisPolicy,
  retryCommand,
  retryRedis,
} from '../../../src/services/redis/index.ts';
import { settle } from '../../support/settle.ts';

const loading = (): Error => new ReplyError('LOADING Redis is loading the dataset in memory');
const broken = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });

/** A function that fails with these errors, in this order, and then succeeds. */
function failing(...errors: readonly unknown[]): { (): string; calls: number } {
  const fn = Object.assign(
    () => {
      const error = errors[fn.calls++];
      if (error !== undefined) throw error;
      return 'value';
    },
    { calls: 0 },
  );
  return fn;
}

describe('retryRedis', () => {
  let clock: FakeClock;
  let options: RedisRetryOptions;
  beforeEach(() => {
    clock = new FakeClock();
    options = { clock, jitter: false, budget: 'none' };
  });

  it('retries with the delays of REDIS_DEFAULTS, and gives the value', async () => {
    const fn = failing(loading(), loading(), loading(), loading());
    expect(await settle(clock, retryRedis(fn, options))).toEqual({ value: 'value' });
    expect(clock.sleeps).toEqual([100, 200, 400, 800]);
  });

  it('gives the last error, untouched', async () => {
    const error = new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value');
    const fn = failing(error);
    expect(await settle(clock, retryRedis(fn, options))).toEqual({ error });
    expect(fn.calls).toBe(1);
  });

  it('ends when the connection broke and nobody knows what was done', async () => {
    const error = broken();
    const fn = failing(error);
    expect(await settle(clock, retryRedis(fn, options))).toEqual({ error });
    expect([fn.calls, retrySummary(error)?.reason]).toEqual([1, 'not_retryable']);
  });

  it('goes on after that with idempotent: true', async () => {
    const fn = failing(broken(), new MaxRetriesPerRequestError(0));
    expect(await settle(clock, retryRedis(fn, { ...options, idempotent: true }))).toEqual({ value: 'value' });
  });

  it('does not repeat what timed out, unless it is idempotent', async () => {
    const hang = jest.fn(() => new Promise<never>(() => undefined));
    const timed = { ...options, attemptTimeout: 50 };
    expect(await settle(clock, retryRedis(hang, timed))).toMatchObject({ error: { name: 'AttemptTimeoutError' } });
    expect(hang).toHaveBeenCalledTimes(1);
    await settle(clock, retryRedis(hang, { ...timed, idempotent: true }));
    expect(hang).toHaveBeenCalledTimes(6);
  });

  it('hedges what is idempotent, and nothing else', async () => {
    const slow = jest.fn(async () => {
      await clock.sleep(50, undefined, 'ref');
      return 'value';
    });
    const hedged = { ...options, hedge: 20 };
    expect(await settle(clock, retryRedis(slow, hedged))).toEqual({ value: 'value' });
    await settle(clock, redisPolicy({ ...hedged, idempotent: false }).execute(slow));
    expect(slow).toHaveBeenCalledTimes(2);
    await settle(clock, retryRedis(slow, { ...hedged, idempotent: true }));
    expect(slow).toHaveBeenCalledTimes(4);
    expect(() => redisPolicy({ hedge: -1 })).toThrow('hedge is -1');
  });

  it('asks retryOn, but not about what may have been carried out', async () => {
    const oom = new ReplyError('OOM command not allowed');
    const own = { ...options, retryOn: () => true };
    expect(await settle(clock, retryRedis(failing(oom), own))).toEqual({ value: 'value' });
    const error = broken();
    expect(await settle(clock, retryRedis(failing(error), own))).toEqual({ error });
  });

  it('does not multiply what ioredis has waited through itself', async () => {
    const error = new MaxRetriesPerRequestError(20);
    const fn = failing(error);
    await settle(clock, retryRedis(fn, { ...options, idempotent: true }));
    expect([fn.calls, retrySummary(error)?.reason]).toEqual([1, 'already_retried']);
    const both = failing(new MaxRetriesPerRequestError(20));
    await settle(clock, retryRedis(both, { ...options, idempotent: true, nested: 'both' }));
    expect(both.calls).toBe(2);
  });

  it('does not multiply it in a policy of its own, or inside the attempts of a policy around it', async () => {
    const fn = failing(new MaxRetriesPerRequestError(3));
    await settle(clock, redisPolicy({ ...options, idempotent: true }).execute(fn));
    expect(fn.calls).toBe(1);
    const inner = failing(...Array.from({ length: 9 }, () => new MaxRetriesPerRequestError(3)));
    const around = retry(() => retryRedis(inner, { ...options, idempotent: true }), { clock });
    await settle(clock, around);
    expect(inner.calls).toBe(1);
  });

  it('spends from the budget "redis", or from one of its own', async () => {
    const tokens = new RetryBudget({ name: 'own', capacity: 1 });
    const error = loading();
    const fn = failing(error, error, error);
    await settle(clock, retryRedis(fn, { ...options, budget: tokens }));
    expect([fn.calls, retrySummary(error)?.reason]).toEqual([2, 'budget_exhausted']);
    const shared = Array.from({ length: 40 }, () => loading());
    const storm = failing(...shared);
    for (let i = 0; i < 8; i++) await settle(clock, retryRedis(storm, { clock, jitter: false }));
    // Ten tokens in all, however many calls there are.
    expect(storm.calls).toBe(18);
  });

  it('keeps the name of the function as the operation', async () => {
    const calls = recordCalls();
    async function loadSession(): Promise<string> {
      return 'value';
    }
    await retryRedis(loadSession, { observer: calls });
    expect(calls.calls.map(call => call.info.operation)).toEqual(['loadSession']);
  });

  it.each<[string, unknown, string]>([
    ['a misspelt option', { idempotant: true }, '"idempotant" is not an option; did you mean "idempotent"?'],
    ['a wrong option', { idempotent: 'yes' }, 'idempotent is "yes"; it must be true or false'],
    [
      'a wrong budget',
      { budget: 'off' },
      `budget is "off"; it must be a RetryBudget, an object with its functions, or 'none'`,
    ],
    ['a wrong option of every policy', { maxAttempts: 0 }, 'maxAttempts is 0'],
    ['a wrong retryOn', { retryOn: 4 }, 'retryOn is 4'],
    ['no options', null, 'redis options are null; they must be an object'],
  ])('refuses %s', (_, wrong, text) => {
    expect(() => retryRedis(failing(), wrong as RedisRetryOptions<string>)).toThrow(text);
    expect(() => redisPolicy(wrong as RedisRetryOptions)).toThrow(text);
    expect(() => retryCommand(async () => 1, ['GET', 'a'], wrong as RedisRetryOptions<number>)).toThrow(text);
  });

  it('refuses what is no function', () => {
    expect(() => retryRedis('GET' as never)).toThrow('retryRedis: the first argument is string');
  });
});

describe('retryCommand', () => {
  const clock = new FakeClock();
  const base = { clock, jitter: false, budget: 'none' } as const;

  it.each([
    [['GET', 'k'], 2],
    [['SET', 'k', 'v'], 2],
    [['set', 'k', 'v', 'EX', 10], 2],
    [['SET', 'lock', 'me', 'nx', 'PX', 100], 1],
    [['DEL', 'k'], 2],
    [['ZADD', 'z', 1, 'a'], 2],
    [['ZADD', 'z', 'INCR', 1, 'a'], 1],
    [['INCR', 'k'], 1],
    [['LPUSH', 'k', 'v'], 1],
    [['EVAL', 'return 1', 0], 1],
    [['MY.MODULE', 'k'], 1],
  ] as const)('%j after a broken connection: %i attempts', async (command, attempts) => {
    const send = jest.fn(failing(broken()));
    await settle(
      clock,
      retryCommand(async () => send(), command as never, base),
    );
    expect(send).toHaveBeenCalledTimes(attempts);
  });

  it('sends INCR again when it was refused, or never sent, or with idempotent: true', async () => {
    const offline = new Error("Stream isn't writeable and enableOfflineQueue options is false");
    const send = failing(loading(), offline);
    expect(
      await settle(
        clock,
        retryCommand(async () => send(), ['INCR', 'k'], base),
      ),
    ).toEqual({ value: 'value' });
    const again = failing(broken());
    const options = { ...base, idempotent: true };
    expect(
      await settle(
        clock,
        retryCommand(async () => again(), ['INCR', 'k'], options),
      ),
    ).toEqual({ value: 'value' });
  });

  it.each([
    [['GET', 'k'], undefined, 2],
    [['INCR', 'k'], undefined, 1],
    [['LPUSH', 'k', 'v'], false, 1],
    [['INCR', 'k'], true, 2],
    [['GET', 'k'], false, 1],
  ] as const)('%j with idempotent: %j and a hedge: %i are sent to a slow server', async (command, idempotent, sent) => {
    const send = jest.fn(() => clock.sleep(50, undefined, 'ref'));
    const options = { ...base, hedge: 20, ...(idempotent === undefined ? undefined : { idempotent }) };
    await settle(clock, retryCommand(send, command as never, options));
    expect(send).toHaveBeenCalledTimes(sent);
  });

  it('names the operation for the command, and never for what it does not know', async () => {
    const observer = recordCalls();
    const options = { ...base, observer };
    const send = async (): Promise<string> => 'value';
    for (const name of ['GET', 'incr', 'user:4711']) await retryCommand(send, [name, 'k'], options);
    await retryCommand(send, ['GET', 'k'], { ...options, operation: 'own' });
    expect(observer.calls.map(call => call.info.operation)).toEqual([
      'redis_get',
      'redis_incr',
      'redis_command',
      'own',
    ]);
  });

  it('speaks to ioredis, to node-redis, and through a function', async () => {
    const sent: unknown[] = [];
    const note = async (...args: unknown[]): Promise<string> => {
      sent.push(args);
      return 'OK';
    };
    const ioredis = { call: note, defineCommand: () => undefined };
    const clients: CommandClient[] = [ioredis, { sendCommand: note }, note];
    for (const client of clients) await retryCommand(client, ['SETEX', 'k', 10, 'v']);
    expect(sent).toEqual([['SETEX', ['k', 10, 'v']], [['SETEX', 'k', '10', 'v']], ['SETEX', ['k', 10, 'v']]]);
  });

  it('refuses a cluster of node-redis, what is no client, and what is no command', () => {
    const cluster = { sendCommand: async () => 1, nodeClient: () => undefined };
    expect(() => retryCommand(cluster, ['GET', 'k'])).toThrow('client is a cluster of node-redis');
    expect(() => retryCommand({} as CommandClient, ['GET', 'k'])).toThrow('client is an object; it must be a client');
    expect(() => retryCommand(async () => 1, 'GET' as never)).toThrow('command is "GET"; it must be a list');
    expect(() => retryCommand(async () => 1, [] as never)).toThrow('command is a list of 0');
  });
});

describe('isRepeatable', () => {
  it('is about the words after the key alone', () => {
    expect(isRepeatable(['SET', 'NX', 'value'])).toBe(true);
    expect(isRepeatable(['SET', 'k', 'v', 'XX'])).toBe(false);
    expect(isRepeatable(['HGETALL', 'k'])).toBe(true);
    expect(isRepeatable([])).toBe(false);
  });
});
