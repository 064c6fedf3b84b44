import { retrySummary } from 'retryscope/core';
import { isOutcomeUnknown, retryTransaction, type TransactionOptions } from 'retryscope/database';
import { FakeClock } from 'retryscope/testing';
import { HOSTILE_VALUES } from '../../hostile/values.ts';
import { outcomeOf, type Settled, settle } from '../../support/settle.ts';
import { PoolDouble, type PoolDoubleClient, sqlError } from './pool-double.ts';

const lost = (): Error => new Error('Connection terminated unexpectedly');

async function run<T>(
  pool: PoolDouble,
  fn: (client: PoolDoubleClient) => T | Promise<T>,
  options: TransactionOptions<unknown> = {},
): Promise<Settled<unknown>> {
  const clock = new FakeClock();
  return settle(clock, retryTransaction<PoolDoubleClient, unknown>(pool, fn, { clock, budget: 'none', ...options }));
}

const insert = async (client: PoolDoubleClient): Promise<string> => {
  await client.query('INSERT');
  return 'done';
};

describe('a transaction', () => {
  it.each<[TransactionOptions<unknown>, string, string[]]>([
    [{}, 'BEGIN', ['START TRANSACTION']],
    [
      { isolation: 'serializable', readOnly: true },
      'BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY',
      ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'START TRANSACTION READ ONLY'],
    ],
    [{ readOnly: false }, 'BEGIN READ WRITE', ['START TRANSACTION READ WRITE']],
  ])('with %j begins as its server understands', async (options, postgresql, mysql) => {
    const pool = new PoolDouble();
    expect(await run(pool, insert, options)).toEqual({ value: 'done' });
    expect(pool.log).toEqual(['connect', postgresql, 'INSERT', 'COMMIT', 'release']);
    const other = new PoolDouble().asMysql();
    expect(await run(other, insert, options)).toEqual({ value: 'done' });
    expect(other.log).toEqual(['connect', ...mysql, 'INSERT', 'COMMIT', 'release']);
  });

  it('that meets a conflict is rolled back and repeated whole, and the connection serves again', async () => {
    let conflicts = 2;
    const pool = new PoolDouble({
      query: text => (text === 'INSERT' && conflicts-- > 0 ? sqlError('40001') : undefined),
    });
    expect(await run(pool, insert)).toEqual({ value: 'done' });
    const failed = ['connect', 'BEGIN', 'INSERT', 'ROLLBACK', 'release'];
    expect(pool.log).toEqual([...failed, ...failed, 'connect', 'BEGIN', 'INSERT', 'COMMIT', 'release']);
  });

  it('whose COMMIT the server refuses is repeated when the refusal is a conflict', async () => {
    let conflicts = 1;
    const pool = new PoolDouble({
      query: text => (text === 'COMMIT' && conflicts-- > 0 ? sqlError('40001') : undefined),
    });
    expect(await run(pool, insert)).toEqual({ value: 'done' });
    const refused = new PoolDouble({ query: text => (text === 'COMMIT' ? sqlError('23503') : undefined) });
    const { error } = (await run(refused, insert)) as { error: unknown };
    expect(isOutcomeUnknown(error)).toBe(false);
    expect(refused.log.at(-1)).toBe('release');
  });

  it.each([
    lost(),
    sqlError('08007'),
    sqlError('40003'),
    sqlError('57P01'),
    Object.assign(new Error('x'), { code: 'PROTOCOL_CONNECTION_LOST' }),
    Object.assign(new Error('x'), { errno: 2013 }),
    Object.freeze(new Error('what is this')),
  ])('whose COMMIT may have arrived is not repeated: %s', async error => {
    const pool = new PoolDouble({ query: text => (text === 'COMMIT' ? error : undefined) });
    expect(await run(pool, insert, { retryOn: () => true })).toEqual({ error });
    expect(isOutcomeUnknown(error)).toBe(true);
    expect(retrySummary(error)).toMatchObject({ reason: 'not_retryable', attempts: 1 });
    expect(pool.log.at(-1)).toBe('release(true)');
  });

  it('that loses its connection before COMMIT is repeated, without a word to the dead connection', async () => {
    let losses = 1;
    const pool = new PoolDouble({ query: text => (text === 'INSERT' && losses-- > 0 ? lost() : undefined) });
    expect(await run(pool, insert)).toEqual({ value: 'done' });
    expect(pool.log.slice(0, 4)).toEqual(['connect', 'BEGIN', 'INSERT', 'release(true)']);
  });

  it('whose ROLLBACK hangs is closed after 5 s', async () => {
    const clock = new FakeClock();
    const pool = new PoolDouble({ query: text => (text === 'ROLLBACK' ? new Promise(() => undefined) : undefined) });
    const mine = new Error('mine');
    const fail = (): never => {
      throw mine;
    };
    const call = outcomeOf(retryTransaction(pool, fail, { clock }));
    await clock.advance(4999);
    expect(pool.log).toEqual(['connect', 'BEGIN', 'ROLLBACK']);
    await clock.advance(1);
    expect(await call).toEqual({ error: mine });
    expect(pool.log.at(-1)).toBe('release(true)');
    expect(clock.pending).toBe(0);
  });

  it('that is cut off while its function runs is closed at once, sends no COMMIT and is repeated', async () => {
    const clock = new FakeClock();
    const pool = new PoolDouble();
    const { promise, resolve } = Promise.withResolvers<string>();
    let attempts = 0;
    const call = retryTransaction(pool, () => (++attempts === 1 ? promise : 'second'), {
      clock,
      attemptTimeout: 1000,
      budget: 'none',
    });
    await clock.advance(1000);
    resolve('first');
    await clock.runAll();
    expect(await call).toBe('second');
    expect(pool.log).toEqual(['connect', 'BEGIN', 'release(true)', 'connect', 'BEGIN', 'COMMIT', 'release']);
  });

  it('that is cut off while COMMIT is under way is not repeated', async () => {
    const clock = new FakeClock();
    const pool = new PoolDouble({ query: text => (text === 'COMMIT' ? new Promise(() => undefined) : undefined) });
    const call = outcomeOf(retryTransaction(pool, insert, { clock, attemptTimeout: 1000, budget: 'none' }));
    await clock.advance(1000);
    const { error } = (await call) as { error: unknown };
    expect(error).toMatchObject({ code: 'ERR_RETRY_ATTEMPT_TIMEOUT' });
    expect(isOutcomeUnknown(error)).toBe(true);
    expect(pool.log).toEqual(['connect', 'BEGIN', 'INSERT', 'COMMIT', 'release(true)']);
  });

  it('that COMMIT has rolled back rejects with the error of the statement, or says what happened', async () => {
    const rolledBack = (fault: unknown) => (text: string) => (text === 'COMMIT' ? { command: 'ROLLBACK' } : fault);
    const failure = sqlError('23505');
    const caught = new PoolDouble({ query: text => rolledBack(text === 'INSERT' ? failure : undefined)(text) });
    const swallow = async (client: PoolDoubleClient): Promise<void> => {
      await client.query('INSERT').catch(() => undefined);
    };
    expect(await run(caught, swallow)).toEqual({ error: failure });
    const silent = new PoolDouble({ query: rolledBack(undefined) });
    expect(await run(silent, insert)).toEqual({
      error: expect.objectContaining({ message: expect.stringMatching(/rolled back at COMMIT/) }),
    });
    expect(silent.log.at(-1)).toBe('release');
  });

  it('of MySQL that a deadlock has ended runs nothing more, and is repeated although its function caught the error', async () => {
    let deadlocks = 1;
    const pool = new PoolDouble({
      query: text => (text === 'FIRST' && deadlocks-- > 0 ? sqlError('ER_LOCK_DEADLOCK') : undefined),
    }).asMysql();
    const call = run(pool, async client => {
      await client.query('FIRST').catch(() => undefined);
      await client.query('SECOND').catch(() => undefined);
      return 'done';
    });
    expect(await call).toEqual({ value: 'done' });
    const failed = ['connect', 'START TRANSACTION', 'FIRST', 'ROLLBACK', 'release'];
    expect(pool.log).toEqual([...failed, 'connect', 'START TRANSACTION', 'FIRST', 'SECOND', 'COMMIT', 'release']);
  });

  it('is not left by its client: what would give it back does nothing, and what is not a statement works', async () => {
    const pool = new PoolDouble();
    Object.assign(pool.client, { processID: 7, constructor: PoolDouble });
    const call = run(pool, client => {
      client.release();
      client.on();
      return [Reflect.get(client, 'processID'), Reflect.get(client, 'constructor')];
    });
    expect(await call).toEqual({ value: [7, PoolDouble] });
    expect(pool.log).toEqual(['connect', 'BEGIN', 'COMMIT', 'release']);
  });

  it('that is over refuses statements, by promise and by callback', async () => {
    const pool = new PoolDouble();
    let kept: PoolDoubleClient | undefined;
    await run(pool, client => {
      kept = client;
    });
    await expect(kept?.query('LATE')).rejects.toThrow('The transaction has ended');
    const told = await new Promise(resolve => {
      (kept as unknown as { query(text: string, done: (error: unknown) => void): void }).query('LATE', resolve);
    });
    expect(told).toMatchObject({ code: 'ERR_RETRY_NOT_RETRYABLE' });
    expect(pool.log).not.toContain('LATE');
  });

  it.each(HOSTILE_VALUES)('comes back with whatever was thrown: %s', async (_, make) => {
    const value = make();
    const pool = new PoolDouble();
    const outcome = (await run(pool, () => {
      throw value;
    })) as { error: unknown };
    expect(Object.is(outcome.error, value)).toBe(true);
    expect(pool.log).toEqual(['connect', 'BEGIN', 'ROLLBACK', 'release']);
  });
});

describe('verifyCommit', () => {
  /** A pool whose first COMMIT is not answered. */
  const unanswered = (): PoolDouble => {
    let cuts = 1;
    return new PoolDouble({ query: text => (text === 'COMMIT' && cuts-- > 0 ? lost() : undefined) });
  };

  it('that finds the transaction committed ends the call with what its function had returned', async () => {
    const pool = unanswered();
    let attempts = 0;
    const call = run(pool, () => ++attempts, { verifyCommit: () => true });
    expect(await call).toEqual({ value: 1 });
    expect(pool.log).toEqual(['connect', 'BEGIN', 'COMMIT', 'release(true)']);
  });

  it('that finds it not committed has it repeated', async () => {
    let attempts = 0;
    expect(await run(unanswered(), () => ++attempts, { verifyCommit: async () => false })).toEqual({ value: 2 });
  });

  it('that fails is asked again, and the transaction is never repeated meanwhile', async () => {
    const pool = unanswered();
    let asked = 0;
    let attempts = 0;
    const verifyCommit = (): boolean => {
      if (++asked < 3) throw sqlError('42P01');
      return true;
    };
    expect(await run(pool, () => ++attempts, { verifyCommit })).toEqual({ value: 1 });
    expect([asked, attempts]).toEqual([3, 1]);
  });

  it('that never answers leaves the outcome unknown', async () => {
    const fault = sqlError('42P01');
    const call = run(unanswered(), insert, {
      verifyCommit: () => {
        throw fault;
      },
    });
    expect(await call).toEqual({ error: fault });
    expect(isOutcomeUnknown(fault)).toBe(true);
    expect(retrySummary(fault)).toMatchObject({ reason: 'attempts_exhausted', attempts: 5 });
  });
});

describe('wrong arguments', () => {
  it.each<[string, () => unknown]>([
    ['the pool is a string', () => retryTransaction('postgres://me:hunter2@db/x' as never, insert)],
    ['the pool is an object', () => retryTransaction({ query: insert } as never, insert)],
    ['the pool is an object', () => retryTransaction({ connect: insert, connectionParameters: {} } as never, insert)],
    ['retryTransaction', () => retryTransaction(new PoolDouble(), 5 as never)],
    [
      'isolation is "serializable; DROP TABLE t"; it must be \'read uncommitted\'',
      () => retryTransaction(new PoolDouble(), insert, { isolation: 'serializable; DROP TABLE t' as never }),
    ],
    ['readOnly is 1', () => retryTransaction(new PoolDouble(), insert, { readOnly: 1 as never })],
    ['verifyCommit is true', () => retryTransaction(new PoolDouble(), insert, { verifyCommit: true as never })],
    [
      'did you mean "isolation"',
      () => retryTransaction(new PoolDouble(), insert, { isolaton: 'serializable' } as never),
    ],
  ])('are refused at once: %s', (text, call) => {
    expect(call).toThrow(text);
  });
});

it('a pool that lends nothing usable is a TypeError, and no reason to try again', async () => {
  const pool = { connect: async () => undefined };
  const call = retryTransaction(pool as never, insert);
  await expect(call).rejects.toThrow('for mysql2, pass a pool of mysql2/promise');
});
