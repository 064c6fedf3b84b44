import { retrySummary } from 'retryscope/core';
import { checkDatabase, isOutcomeUnknown, type Queryable, type QueryOptions, retryQuery } from 'retryscope/database';
import { FakeClock } from 'retryscope/testing';
import { limitRegistry } from '../../../src/limits/registry.ts';
import { HOSTILE_VALUES } from '../../hostile/values.ts';
import { outcomeOf, type Settled, settle } from '../../support/settle.ts';
import { PoolDouble, sqlError } from './pool-double.ts';

const WRITE = 'INSERT INTO t VALUES ($1)';

async function run(
  database: Queryable,
  statement: string,
  options: QueryOptions<unknown> = {},
): Promise<Settled<unknown> & { readonly sleeps: number[] }> {
  const clock = new FakeClock();
  const call = retryQuery<unknown>(database, statement, [1], { clock, budget: 'none', ...options });
  return { ...(await settle(clock, call)), sleeps: clock.sleeps };
}

describe('a statement', () => {
  it('is sent with its values, on a connection that goes back', async () => {
    const pool = new PoolDouble();
    expect(await run(pool, WRITE)).toEqual({ value: { rows: [], rowCount: 1 }, sleeps: [] });
    expect(pool.log).toEqual(['connect', `${WRITE} [1]`, 'release']);
    expect(pool.listeners).toBe(0);
  });

  it('waits half a second after an outage, and a twentieth after a conflict', async () => {
    const refused = (): Error => Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    expect(await run(new PoolDouble({ connect: refused }), WRITE)).toMatchObject({ sleeps: [500, 1000] });
    const conflict = { query: () => sqlError('40001') };
    expect(await run(new PoolDouble(conflict), WRITE)).toMatchObject({ sleeps: [50, 100] });
    expect(await run(new PoolDouble(conflict), WRITE, { initialDelay: 200 })).toMatchObject({ sleeps: [200, 400] });
    expect(await run(new PoolDouble(conflict), WRITE, { backoff: 'constant' })).toMatchObject({ sleeps: [500, 500] });
  });

  it('that failed has its connection closed', async () => {
    const pool = new PoolDouble({ query: () => sqlError('23505') });
    await run(pool, WRITE);
    expect(pool.log).toEqual(['connect', `${WRITE} [1]`, 'release(true)']);
  });

  it('of mysql2 is destroyed, not released, when it failed', async () => {
    const pool = new PoolDouble({ query: () => sqlError('ER_DUP_ENTRY') }).asMysql();
    await run(pool, WRITE);
    expect(pool.log).toEqual(['connect', `${WRITE} [1]`, 'destroy']);
  });

  it('whose connection is lost before its answer is not repeated, whatever retryOn says', async () => {
    const lost = new Error('Connection terminated unexpectedly');
    const pool = new PoolDouble({ query: () => lost });
    expect(await run(pool, WRITE, { retryOn: () => true })).toEqual({ error: lost, sleeps: [] });
    expect(isOutcomeUnknown(lost)).toBe(true);
    expect(retrySummary(lost)).toMatchObject({ reason: 'not_retryable', attempts: 1 });
    expect(Object.keys(lost)).toEqual([]);
  });

  it('is asked about by the retryOn of the caller where the outcome is known', async () => {
    const pool = new PoolDouble({ query: () => sqlError('25006') });
    expect((await run(pool, WRITE, { retryOn: '25006' })).sleeps).toHaveLength(2);
    expect((await run(pool, WRITE, { retryOn: () => false })).sleeps).toHaveLength(0);
  });

  it.each(['SELECT 1', 'TABLE t'])('that only reads is repeated: %s', async statement => {
    const pool = new PoolDouble({ query: () => new Error('Connection terminated unexpectedly') });
    const { sleeps, ...outcome } = await run(pool, statement);
    expect(sleeps).toHaveLength(2);
    expect(isOutcomeUnknown((outcome as { error: unknown }).error)).toBe(false);
  });

  it('that only reads is not repeated when the caller says that it may not be', async () => {
    const pool = new PoolDouble({ query: () => new Error('Connection terminated unexpectedly') });
    expect((await run(pool, 'SELECT 1', { idempotent: false })).sleeps).toHaveLength(0);
  });

  it.each(['UPDATE a SET b = 1; UPDATE c SET d = 1', 'CALL move(1)'])(
    'of which a part may last is not repeated even after a conflict: %s',
    async statement => {
      const error = sqlError('40001');
      expect((await run(new PoolDouble({ query: () => error }), statement)).sleeps).toHaveLength(0);
      expect(isOutcomeUnknown(error)).toBe(true);
    },
  );

  it('that is cut off by the deadline leaves its outcome unknown, and so does one that the caller aborts', async () => {
    const clock = new FakeClock();
    const never = new PoolDouble({ query: () => new Promise(() => undefined) });
    const late = outcomeOf(retryQuery(never, WRITE, [1], { clock, maxElapsed: 100, budget: 'none' }));
    await clock.advance(100);
    const { error } = (await late) as { error: unknown };
    expect(error).toMatchObject({ code: 'ERR_RETRY_DEADLINE_EXCEEDED' });
    expect(isOutcomeUnknown(error)).toBe(true);
    const controller = new AbortController();
    const aborted = retryQuery(never, WRITE, [1], { clock, signal: controller.signal, budget: 'none' });
    await clock.advance(1);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect(isOutcomeUnknown(reason)).toBe(true);
    expect(never.log).toEqual(['connect', `${WRITE} [1]`, 'release(true)', 'connect', `${WRITE} [1]`, 'release(true)']);
  });

  it('is never sent on a connection that comes too late, which goes back as it is', async () => {
    const clock = new FakeClock();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const pool = new PoolDouble({ connect: () => promise });
    const call = outcomeOf(
      retryQuery(pool, WRITE, [1], { clock, attemptTimeout: 100, maxAttempts: 1, budget: 'none' }),
    );
    await clock.advance(100);
    const { error } = (await call) as { error: unknown };
    expect(isOutcomeUnknown(error)).toBe(false);
    resolve(undefined);
    await clock.advance(0);
    expect(pool.log).toEqual(['connect', 'release']);
  });

  it('as an object is copied for each attempt, since pg writes into it', async () => {
    const seen: unknown[] = [];
    const statement = Object.freeze({ text: 'SELECT 1', rowMode: 'array' });
    const database: Queryable<string> = {
      query: async asked => {
        seen.push({ ...(asked as object) });
        Object.assign(asked as object, { callback: 1 });
        if (seen.length === 1) throw sqlError('40001');
        return 'answer';
      },
    };
    const clock = new FakeClock();
    expect(await settle(clock, retryQuery(database, statement, undefined, { clock, budget: 'none' }))).toEqual({
      value: 'answer',
    });
    expect(seen).toEqual([statement, statement]);
  });

  it('is what a package that builds statements has in the getters of its class', async () => {
    class Statement {
      readonly strings = ['SELECT * FROM users WHERE id = ', ''];
      readonly values = [7];
      get text(): string {
        return this.strings.join('$1');
      }
    }
    const seen: unknown[] = [];
    const database: Queryable<string> = {
      query: async asked => {
        seen.push(asked);
        if (seen.length === 1) throw sqlError('40001');
        return 'answer';
      },
    };
    const clock = new FakeClock();
    const call = retryQuery(database, new Statement(), undefined, { clock, budget: 'none' });
    expect(await settle(clock, call)).toEqual({ value: 'answer' });
    const sent = expect.objectContaining({ text: 'SELECT * FROM users WHERE id = $1', values: [7] });
    expect(seen).toEqual([sent, sent]);
  });

  it('is repeated by an object of any kind that has a query, unless it is one connection that has failed', async () => {
    const query = (): Promise<never> => Promise.reject(new Error('Connection terminated unexpectedly'));
    expect((await run({ query }, 'SELECT 1')).sleeps).toHaveLength(2);
    for (const connection of [{ threadId: 4 }, { connectionParameters: {} }, { release: () => undefined }]) {
      expect((await run({ query, ...connection } as Queryable, 'SELECT 1')).sleeps).toHaveLength(0);
    }
  });

  it.each(HOSTILE_VALUES)('comes back with whatever was thrown: %s', async (_, make) => {
    const value = make();
    const pool = new PoolDouble({
      query: () => {
        throw value;
      },
    });
    const outcome = (await run(pool, WRITE)) as { error: unknown; sleeps: number[] };
    expect(Object.is(outcome.error, value)).toBe(true);
    expect(outcome.sleeps).toEqual([]);
  });

  it('is of no concern to a client whose release or listeners throw', async () => {
    const pool = new PoolDouble();
    pool.client.release = () => {
      throw new Error('twice');
    };
    pool.client.on = () => {
      throw new Error('no');
    };
    expect(await run(pool, WRITE)).toMatchObject({ value: { rowCount: 1 } });
  });
});

describe('the budget', () => {
  it('is none for health checks: they have their three attempts however long the database is down', async () => {
    const clock = new FakeClock();
    const attempts: number[] = [];
    const pool = { query: () => Promise.reject(sqlError('57P03')) };
    for (let probe = 0; probe < 20; probe++) {
      const call = checkDatabase(pool, { clock, jitter: false, onStop: stop => attempts.push(stop.attempts) });
      expect(await settle(clock, call)).toHaveProperty('error');
    }
    expect(attempts).toEqual(Array(20).fill(3));
  });

  const budgets = (): unknown[] => [...limitRegistry.budgets].map(({ state }) => state.name);

  it('is one for all calls, named database, from when it is needed', async () => {
    expect(budgets()).not.toContain('database');
    const clock = new FakeClock();
    const failing = new PoolDouble({ query: () => sqlError('40001') });
    const reasons: unknown[] = [];
    for (let i = 0; i < 8; i++) {
      const { error } = (await settle(clock, retryQuery(failing, WRITE, [1], { clock }))) as { error: object };
      reasons.push(retrySummary(error)?.reason);
    }
    expect(budgets().filter(name => name === 'database')).toHaveLength(1);
    expect(reasons.slice(0, 4)).toEqual(Array(4).fill('attempts_exhausted'));
    expect(reasons.slice(6)).toEqual(Array(2).fill('budget_exhausted'));
    const free = await run(failing, WRITE);
    expect(free.sleeps).toHaveLength(2);
  });
});

describe('wrong arguments', () => {
  const pool = new PoolDouble();
  const secret = 'postgres://me:hunter2@db/x';

  it.each<[string, () => unknown]>([
    ['the database is a string', () => retryQuery(secret as never, 'SELECT 1')],
    ['the database is an object', () => retryQuery({} as never, 'SELECT 1')],
    ['the database is undefined', () => checkDatabase(undefined as never)],
    ['statement is a number', () => retryQuery(pool, 5 as never)],
    ['statement is empty', () => retryQuery(pool, ' ')],
    ['statement is a query object', () => retryQuery(pool, { text: 'x', submit: () => undefined } as never)],
    ['values are a string', () => retryQuery(pool, 'SELECT 1', 'hunter2' as never)],
    ['idempotent is "yes"; it must be true or false', () => retryQuery(pool, 'x', [], { idempotent: 'yes' as never })],
    [
      '"idempotant" is not an option; did you mean "idempotent"?',
      () => retryQuery(pool, 'x', [], { idempotant: true } as never),
    ],
    [
      '"maxAtempts" is not an option; did you mean "maxAttempts"?',
      () => checkDatabase(pool, { maxAtempts: 1 } as never),
    ],
    ['hedge is no option for databases', () => retryQuery(pool, 'x', [], { hedge: 5 } as never)],
    ['maxAttempts is 0', () => retryQuery(pool, 'x', [], { maxAttempts: 0 })],
    ['database options are null', () => retryQuery(pool, 'x', [], null as never)],
    ['budget is 5', () => retryQuery(pool, 'x', [], { budget: 5 as never })],
  ])('are refused at once: %s', (text, call) => {
    expect(call).toThrow(text);
    try {
      call();
    } catch (error) {
      expect(String(error)).not.toContain('hunter2');
    }
  });
});

it('mysql2 and pg are understood by their types', () => {
  interface MysqlPool {
    query<T extends unknown[]>(sql: string): Promise<[T, object[]]>;
    query<T extends unknown[]>(sql: string, values: unknown): Promise<[T, object[]]>;
    query<T extends unknown[]>(options: { sql: string }): Promise<[T, object[]]>;
    getConnection(): Promise<{ query(sql: string): Promise<[unknown[], object[]]>; release(): void; destroy(): void }>;
  }
  const check = async (mysql: MysqlPool, pg: import('pg').Pool, client: import('pg').Client): Promise<string[]> => {
    const [rows] = await retryQuery<[{ id: number }[], object[]]>(mysql, 'SELECT id FROM t');
    const { rows: found } = await retryQuery<{ name: string }>(pg, 'SELECT name FROM t');
    const { rowCount } = await retryQuery(client, { text: 'SELECT 1' });
    await checkDatabase(mysql);
    await checkDatabase(pg);
    return [String(rows[0]?.id), found[0]?.name ?? '', String(rowCount)];
  };
  expect(check).toBeInstanceOf(Function);
});
