import { Pool, type PoolClient, type PoolConfig } from 'pg';
import { retryTransaction } from 'retryscope/database';
import { systemClock } from '../../src/engine/system-clock.ts';
import {
  DeadLetterQueue,
  DeadLetterStoreFullError,
  defineOperation,
  OperationRegistry,
  redrive,
} from '../../src/recovery/dead-letters/index.ts';
import {
  PostgresDeadLetterStore,
  type PostgresDeadLetterStoreOptions,
} from '../../src/recovery/dead-letters/postgres/index.ts';
import { tableNames } from '../../src/recovery/dead-letters/postgres/table-names.ts';
import { describeStore } from '../dead-letters/contract.ts';
import { letterWith } from '../dead-letters/support/letters.ts';
import { type OwnStore, openStore } from '../dead-letters/support/postgres-store.ts';
import { until } from '../redis/support/until.ts';
import { describeWithProgram } from '../support/needs-program.ts';
import { outcomeOf } from '../support/settle.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { hasPostgres, type OwnPostgres, startPostgres } from './postgres.ts';

// A real server on real time.

jest.setTimeout(60_000);

const POSTGRES = { name: 'PostgreSQL', debianPackage: 'postgresql', isThere: hasPostgres() };
const CONNECTIONS = 20;
/** The lock of those that count exactly. */
const ROOM_LOCK = tableNames('public', 'retryscope_dead_letters').roomLock;
const OTHERS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
const SECRET = 'hunter2-of-the-database';

describeWithProgram(POSTGRES, 'PostgresDeadLetterStore', () => {
  let postgres: OwnPostgres;
  let config: PoolConfig;
  /** The one who looks at the tables, and cleans up. */
  let admin: OwnStore;
  const opened: OwnStore[] = [];

  beforeAll(async () => {
    postgres = await startPostgres({ max_connections: CONNECTIONS });
    config = postgres.config as PoolConfig;
    admin = openStore({ ...config, max: 1 });
    await admin.store.migrate();
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map(({ end }) => end()));
    await ask('DELETE FROM retryscope_dead_letters');
    // The server may still be busy with the end of those that have left, and there is room for few.
    await until(async () => (await ask(OTHERS)).length === 0);
  });

  afterAll(async () => {
    await admin?.end();
    await postgres?.end();
  });

  async function ask<R extends object>(statement: string): Promise<R[]> {
    return (await admin.pool.query<R>(statement)).rows;
  }

  function open(options: Omit<PostgresDeadLetterStoreOptions, 'pool'> = {}, own: PoolConfig = {}): OwnStore {
    const one = openStore({ ...config, max: 4, ...own }, options);
    opened.push(one);
    return one;
  }

  const putAll = async (store: PostgresDeadLetterStore, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await store.put(letterWith({ diedAt: Date.now() }));
  };
  /** How many letters there are, and how many the store has counted. */
  const counted = async (): Promise<{ letters: number; bytes: number; counted: number; countedBytes: number }> => {
    const [row] = await ask<{ letters: number; bytes: number; counted: number; countedBytes: number }>(
      `SELECT (SELECT count(*)::int FROM retryscope_dead_letters) AS letters,
        (SELECT coalesce(sum(bytes), 0)::int FROM retryscope_dead_letters) AS bytes,
        (SELECT coalesce(sum(letters), 0)::int FROM retryscope_dead_letters_totals) AS counted,
        (SELECT coalesce(sum(bytes), 0)::int FROM retryscope_dead_letters_totals) AS "countedBytes"`,
    );
    if (row === undefined) throw new Error('no row');
    return row;
  };

  describeStore('PostgreSQL', () => ({
    open: async retention => {
      const { store } = open({ ...(retention && { retention }) });
      return store;
    },
    advance: ms => new Promise(resolve => setTimeout(resolve, ms)),
    now: () => Date.now(),
    tick: 100,
  }));

  describe('enqueue', () => {
    const inTransaction = async (
      pool: Pool,
      end: 'COMMIT' | 'ROLLBACK',
      work: (client: PoolClient) => Promise<unknown>,
    ) => {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        await work(client);
        await client.query(end);
      } finally {
        client.release();
      }
    };

    it('keeps a letter if the transaction commits, and only then', async () => {
      const { pool, store } = open();
      const [kept, dropped] = [letterWith({ diedAt: Date.now() }), letterWith({ diedAt: Date.now() })];
      await inTransaction(pool, 'COMMIT', async client => {
        expect(await store.enqueue(client, kept)).toEqual({ outcome: 'stored', evicted: 0 });
        expect(await store.get(kept.id)).toBeUndefined();
      });
      await inTransaction(pool, 'ROLLBACK', client => store.enqueue(client, dropped));
      expect(await store.get(kept.id)).toEqual(kept);
      expect(await store.get(dropped.id)).toBeUndefined();
      expect(await counted()).toMatchObject({ letters: 1, counted: 1 });
    });

    it('takes the letter of a call with all that a transaction does, and a redrive calls the handler', async () => {
      const { pool, store } = open();
      const registry = new OperationRegistry();
      const queue = new DeadLetterQueue({ name: 'mails', store });
      const sent: unknown[] = [];
      defineOperation('send_mail', (order: { id: string }) => void sent.push(order), { registry });
      await pool.query('CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, state text)');
      await retryTransaction(pool, async client => {
        await client.query("INSERT INTO orders VALUES ('o-1', 'unpaid')");
        const error = new Error('smtp says no');
        const letter = await queue.letterFor({ operation: 'send_mail', args: [{ id: 'o-1' }], error, attempts: 3 });
        await store.enqueue(client, letter);
      });
      expect((await store.list()).letters[0]).toMatchObject({
        queue: 'mails',
        operation: 'send_mail',
        reason: 'not_retryable',
        attempts: 3,
        error: { message: 'smtp says no' },
        payload: { json: '[{"id":"o-1"}]' },
      });
      expect((await redrive(queue, { registry })).results.redriven).toBe(1);
      expect(sent).toEqual([{ id: 'o-1' }]);
      expect(queue.counts).toMatchObject({ stored: 0, redriven: 1 });
    });

    it('says no more than `present` of a letter that is there, in any isolation', async () => {
      const { pool, store } = open();
      const letter = letterWith({ diedAt: Date.now() });
      await store.put(letter);
      await inTransaction(pool, 'COMMIT', async client => {
        await client.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
        expect(await store.enqueue(client, letter)).toEqual({ outcome: 'present', evicted: 0 });
        expect(await store.enqueue(client, letterWith({ diedAt: Date.now() }))).toMatchObject({ outcome: 'stored' });
      });
      expect((await store.stats()).letters).toBe(2);
    });

    it('needs no second connection, and holds nobody up while the transaction is open', async () => {
      const one = open({}, { max: 1 });
      const { store } = open({ retention: { maxCount: 2 } });
      await inTransaction(one.pool, 'COMMIT', async client => {
        await one.store.enqueue(client, letterWith({ diedAt: Date.now() }));
        // Exactly at the limit, where those that put count with nobody else at it.
        await putAll(store, 2);
        expect(await store.claim(5, {}, 'a', 60_000)).toHaveLength(2);
      });
      expect((await store.stats()).letters).toBe(3);
    });

    it('is refused where the store is full, and the transaction goes on', async () => {
      const { pool, store } = open({ retention: { maxCount: 1 } });
      await putAll(store, 1);
      await inTransaction(pool, 'COMMIT', async client => {
        await expect(store.enqueue(client, letterWith({ diedAt: Date.now() }))).rejects.toThrow(
          DeadLetterStoreFullError,
        );
        await client.query('CREATE TABLE went_on ()');
      });
      expect(await ask("SELECT to_regclass('went_on') AS name")).toEqual([{ name: 'went_on' }]);
      const [claim] = await store.claim(1, {}, 'a', 60_000);
      await store.complete(claim?.letter.id as string, claim?.token as string);
      // A record of a redrive is in nobody's way.
      await inTransaction(pool, 'COMMIT', client => store.enqueue(client, letterWith({ diedAt: Date.now() })));
    });

    it('goes over the limit where the oldest are dropped, and the next put makes up for it', async () => {
      const { pool, store } = open({ retention: { maxCount: 3, whenFull: 'drop-oldest' } });
      await inTransaction(pool, 'COMMIT', async client => {
        for (let i = 0; i < 5; i++) await store.enqueue(client, letterWith({ diedAt: Date.now() }));
      });
      expect((await store.stats()).letters).toBe(5);
      expect(await store.put(letterWith({ diedAt: Date.now() }))).toEqual({ outcome: 'stored', evicted: 3 });
      expect(await counted()).toMatchObject({ letters: 3, counted: 3 });
    });

    it('far over the limit is made up for by some hundred letters with each put', async () => {
      const { store: large } = open();
      await Promise.all(Array.from({ length: 300 }, () => large.put(letterWith({ diedAt: Date.now() }))));
      const { store } = open({ retention: { maxCount: 10, whenFull: 'drop-oldest' } });
      const { evicted } = await store.put(letterWith({ diedAt: Date.now() }));
      expect(evicted).toBeGreaterThanOrEqual(250);
      expect(evicted).toBeLessThan(290);
      expect(await counted()).toMatchObject({ letters: 301 - evicted, counted: 301 - evicted });
      await store.put(letterWith({ diedAt: Date.now() }));
      expect(await counted()).toMatchObject({ letters: 10, counted: 10 });
      const strict = open({ retention: { maxCount: 5 } }).store;
      await expect(strict.put(letterWith({ diedAt: Date.now() }))).rejects.toThrow(DeadLetterStoreFullError);
      expect(await counted()).toMatchObject({ letters: 10, counted: 10 });
    });

    it('without the tables says so, and the transaction goes on', async () => {
      const { pool, store } = open({ table: 'never_made' });
      await inTransaction(pool, 'COMMIT', async client => {
        await expect(store.enqueue(client, letterWith())).rejects.toThrow(/call migrate\(\)/);
        expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      });
    });

    it.each([
      ['a string', `postgres://me:${SECRET}@db/x`],
      ['nothing', undefined],
      ['an object', {}],
    ])('refuses %s in place of a client, and shows nothing of it', async (_, client) => {
      const { store } = open();
      const { error } = (await outcomeOf(store.enqueue(client as never, letterWith()))) as { error: Error };
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/client of pg/);
      expect(error.message).not.toContain(SECRET);
    });
  });

  describe('the tables', () => {
    it('are made once, however many make them at the same time', async () => {
      const stores = Array.from({ length: 8 }, () => open({ table: 'made_once' }, { max: 1 }).store);
      await Promise.all(stores.map((store, i) => (i % 2 === 0 ? store.migrate() : putAll(store, 1))));
      expect((await stores[0]?.stats())?.letters).toBe(4);
      expect(await ask('SELECT version FROM made_once_version')).toEqual([{ version: 2 }]);
      await stores[0]?.migrate();
    });

    it('may lie in a schema, apart from others of the same name', async () => {
      await ask('CREATE SCHEMA app');
      const [here, there] = [open(), open({ schema: 'app', table: 'retryscope_dead_letters' })];
      await putAll(there.store, 2);
      expect((await here.store.stats()).letters).toBe(0);
      expect(await ask('SELECT count(*)::int AS n FROM app.retryscope_dead_letters')).toEqual([{ n: 2 }]);
    });

    it('need no more than rights on the rows, once they are there', async () => {
      await ask(`CREATE ROLE clerk LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON retryscope_dead_letters,
        retryscope_dead_letters_totals TO clerk; GRANT SELECT ON retryscope_dead_letters_version TO clerk;
        REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
      const { store } = open({ retention: { maxCount: 2, whenFull: 'drop-oldest' } }, { user: 'clerk' });
      await putAll(store, 3);
      const [claim] = await store.claim(1, {}, 'a', 1000);
      expect(await store.complete(claim?.letter.id as string, claim?.token as string)).toBe(true);
      expect(await store.purge({})).toBe(2);
      await expect(open({ table: 'forbidden' }, { user: 'clerk' }).store.migrate()).rejects.toMatchObject({
        code: '42501',
      });
    });

    it('of another program or a newer version are refused, and left as they are', async () => {
      await ask('CREATE TABLE customers (id int)');
      await expect(open({ table: 'customers' }).store.put(letterWith())).rejects.toThrow(/something else/);
      await open({ table: 'newer' }).store.migrate();
      await ask('UPDATE newer_version SET version = 99');
      await expect(open({ table: 'newer' }).store.put(letterWith())).rejects.toThrow(/version 99.*knows 2/);
      expect(await ask('SELECT version FROM newer_version')).toEqual([{ version: 99 }]);
    });

    it('of the first version get what they lack, and keep their letters', async () => {
      const letter = letterWith({ diedAt: Date.now() });
      await open({ table: 'older' }).store.put(letter);
      await ask(
        'ALTER TABLE older DROP COLUMN owners, ADD COLUMN last_owner text; UPDATE older_version SET version = 1',
      );
      const [{ store }, { store: other }] = [open({ table: 'older' }), open({ table: 'older' })];
      await Promise.all([store.migrate(), other.migrate()]);
      expect(await other.get(letter.id)).toEqual(letter);
      const [claim] = await store.claim(1, {}, 'a', 60_000);
      expect(await store.release(letter.id, claim?.token as string)).toBe(true);
      expect(await other.claim(1, {}, 'a', 60_000)).toEqual([]);
    });

    it('in an encoding that does not have all characters are refused', async () => {
      await ask("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
      await expect(open({}, { database: 'latin' }).store.migrate()).rejects.toThrow(/UTF8.*LATIN1/);
    });

    it('may have a name of 47 characters', async () => {
      const { store } = open({ table: 'a'.repeat(47) });
      await putAll(store, 1);
      expect((await store.stats()).letters).toBe(1);
    });

    it('are tried again where they could not be made', async () => {
      await ask('CREATE SCHEMA later; ALTER SCHEMA later RENAME TO not_yet');
      const { store } = open({ schema: 'later' });
      await expect(store.stats()).rejects.toMatchObject({ code: '3F000' });
      await ask('ALTER SCHEMA not_yet RENAME TO later');
      expect((await store.stats()).letters).toBe(0);
    });

    it('count what others delete by hand', async () => {
      const { store } = open();
      await putAll(store, 5);
      await ask('DELETE FROM retryscope_dead_letters WHERE ctid IN (SELECT ctid FROM retryscope_dead_letters LIMIT 2)');
      expect(await counted()).toMatchObject({ letters: 3, counted: 3 });
      await ask('TRUNCATE retryscope_dead_letters');
      expect(await counted()).toEqual({ letters: 0, bytes: 0, counted: 0, countedBytes: 0 });
    });

    it('are summed up before the parts become many', async () => {
      const { store } = open();
      await putAll(store, 130);
      const [row] = await ask<{ parts: number }>('SELECT count(*)::int AS parts FROM retryscope_dead_letters_totals');
      expect(row?.parts).toBeLessThanOrEqual(101);
      const { letters, bytes, counted: sum, countedBytes } = await counted();
      expect([sum, countedBytes]).toEqual([letters, bytes]);
      expect(letters).toBe(130);
    });
  });

  describe('retention, with four processes that put at the same time', () => {
    // With so many connections, the first are put without counting exactly, and the last ones one after another.
    const MAX = 2 * CONNECTIONS;
    const PUT = 4 * 30;

    const putAtOnce = async (options: Omit<PostgresDeadLetterStoreOptions, 'pool'>) => {
      const stores = Array.from({ length: 4 }, () => open(options, { max: 4 }).store);
      let most = 0;
      let isOver = false;
      const watch = async (): Promise<void> => {
        while (!isOver) most = Math.max(most, (await counted()).letters);
      };
      const watching = watch();
      const outcomes = await Promise.all(
        stores.flatMap(store =>
          Array.from({ length: PUT / 4 }, () => outcomeOf(store.put(letterWith({ diedAt: Date.now() })))),
        ),
      );
      isOver = true;
      await watching;
      return {
        most,
        results: outcomes.flatMap(one => ('value' in one ? [one.value] : [])),
        faults: outcomes.flatMap(one => ('error' in one ? [one.error] : [])),
      };
    };

    it('refuses all that is too much, and nothing else', async () => {
      const { most, results, faults } = await putAtOnce({ retention: { maxCount: MAX } });
      expect(results).toHaveLength(MAX);
      expect(faults).toHaveLength(PUT - MAX);
      expect(faults.every(fault => fault instanceof DeadLetterStoreFullError)).toBe(true);
      expect(await counted()).toMatchObject({ letters: MAX, counted: MAX });
      expect(most).toBeLessThanOrEqual(MAX);
    });

    it('drops as many as there are too many, and counts each once', async () => {
      const { most, results, faults } = await putAtOnce({ retention: { maxCount: MAX, whenFull: 'drop-oldest' } });
      expect(faults).toEqual([]);
      expect(results.reduce((sum, { evicted }) => sum + evicted, 0)).toBe(PUT - MAX);
      expect(await counted()).toMatchObject({ letters: MAX, counted: MAX });
      expect(most).toBeLessThanOrEqual(MAX);
    });

    it('keeps within the bytes', async () => {
      await putAtOnce({ retention: { maxBytes: 16_384, whenFull: 'drop-oldest' } });
      const { bytes, countedBytes } = await counted();
      expect(bytes).toBeLessThanOrEqual(16_384);
      expect(bytes).toBeGreaterThan(15_000);
      expect(countedBytes).toBe(bytes);
    });
  });

  describe('what text cannot hold', () => {
    it.each([
      ['halves of a surrogate pair', 'a\ud800', 'a\udc00'],
      ['null characters', 'a\0', 'a'],
      ['what stands for them', 'a\\u0000', 'a\0'],
      ['backslashes', 'a\\', 'a\\\\'],
    ])('keeps names apart that differ in %s', async (_, one, other) => {
      const { store } = open();
      const letters = [one, other].map(name =>
        letterWith({ diedAt: Date.now(), queue: name, operation: name, error: { type: name, message: name } }),
      );
      for (const letter of letters) await store.put(letter);
      for (const letter of letters) {
        const { queue, operation, error } = letter;
        const found = await store.list({ queue, operations: [operation], errorType: error.type });
        expect(found.letters).toEqual([letter]);
      }
      expect((await store.stats()).queues.map(({ queue }) => queue).sort()).toEqual([one, other].sort());
      const [claim] = await store.claim(1, { queue: one }, `owner ${one}`, 1000);
      expect(claim?.letter.state).toMatchObject({ is: 'claimed', owner: `owner ${one}` });
      expect(await store.quarantine(claim?.letter.id as string, claim?.token as string, `why ${one}`)).toBe(true);
      expect((await store.get(claim?.letter.id as string))?.state).toMatchObject({
        is: 'quarantined',
        why: `why ${one}`,
      });
    });

    it('is stored as it is given, by a queue too: null characters, prototype keys, 5 MB', async () => {
      const { store } = open();
      const queue = new DeadLetterQueue({
        name: "'); DROP TABLE retryscope_dead_letters; --",
        store,
        lastResort: fail,
      });
      const args = [JSON.parse('{"a":"x\\u0000y","constructor":{"prototype":1},"__proto__":{"polluted":1}}'), '\0'];
      const calls = [args, ['x'.repeat(5 * 2 ** 20)]];
      for (const one of calls) {
        const letter = await queue.letterFor({ operation: 'op', args: one, error: new Error('a\0b\ud800') });
        await store.put(letter);
        expect(await store.get(letter.id)).toEqual(JSON.parse(JSON.stringify(letter)));
      }
      const { letters } = await store.list({ queue: queue.name });
      expect(letters.map(({ payload }) => payload.kind)).toEqual(['plain', 'omitted']);
      expect(letters[0]?.payload).toMatchObject({ json: expect.stringContaining('x\\u0000y') });
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });
  });

  describe('clocks that differ', () => {
    it('of processes change nothing about leases and ages', async () => {
      const hour = 3_600_000;
      const [early, late] = [-hour, hour].map(
        by => open({ clock: { ...systemClock, wallNow: () => Date.now() + by } }).store,
      ) as [PostgresDeadLetterStore, PostgresDeadLetterStore];
      await early.put(letterWith({ diedAt: Date.now() - 1000 }));
      const [claim] = await early.claim(1, {}, 'early', 60_000);
      expect(await late.claim(1, {}, 'late', 60_000)).toEqual([]);
      expect((await late.stats()).queues[0]).toMatchObject({ claimed: 1, dead: 0 });
      expect((await late.list({ minAgeMs: 60_000 })).letters).toEqual([]);
      expect(await late.renew(claim?.letter.id as string, claim?.token as string, 1)).toBe(true);
      await until(async () => (await early.list({ states: ['dead'] })).letters.length === 1);
    });
  });

  describe('a server that is away', () => {
    /** By a store whose time is short: on a busy machine a healthy server may need more of it as well. */
    const inTime = async <T>(work: () => Promise<T>): Promise<T> => {
      const results: T[] = [];
      await until(async () => results.push(await work()) > 0);
      return results[0] as T;
    };

    it('costs no call more than its time: letters wait in memory and on standard error, and get in when it is back', async () => {
      const { pool, store } = open();
      const lines: string[] = [];
      const queue = new DeadLetterQueue({ name: 'payments', store, lastResort: line => lines.push(line) });
      const registry = new OperationRegistry();
      const failure = new Error('declined');
      const charge = defineOperation('charge_card', () => Promise.reject(failure), {
        registry,
        maxAttempts: 1,
        deadLetter: queue,
      });
      await outcomeOf(charge());
      await postgres.stop();
      // The pool has to have seen it.
      await until(() => pool.totalCount === 0);
      const began = performance.now();
      expect(await outcomeOf(charge())).toEqual({ error: failure });
      expect(performance.now() - began).toBeLessThan(5000);
      expect(queue.counts).toMatchObject({ stored: 1, not_stored: 1 });
      expect(queue.waiting).toBe(1);
      expect(JSON.parse(lines[0] as string)).toMatchObject({
        event: 'dead_letter_not_stored',
        store_error: 'ECONNREFUSED',
        letter: { operation: 'charge_card' },
      });
      await expect(store.stats()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await postgres.start();
      expect(await queue.flush()).toBe(1);
      expect((await store.stats()).letters).toBe(2);
      expect(pool.idleCount).toBe(pool.totalCount);
    });

    it('or hangs is given up in time, and its connections are closed', async () => {
      const proxy = await startFaultProxy({ to: { port: postgres.port } });
      const { pool, store } = open({ timeoutMs: 500 }, { port: proxy.port, max: 2 });
      await inTime(() => putAll(store, 1));
      proxy.set({ mode: 'hang' });
      const letter = letterWith({ diedAt: Date.now() });
      const began = performance.now();
      const calls: Promise<unknown>[] = [store.put(letter), store.get('x'), store.put(letterWith()), store.stats()];
      for (const one of await Promise.all(calls.map(call => outcomeOf(call)))) {
        expect(one).toMatchObject({ error: { code: 'ETIMEDOUT', message: 'PostgreSQL did not answer within 500 ms' } });
      }
      expect(performance.now() - began).toBeLessThan(5000);
      proxy.heal();
      await inTime(() => store.put(letter));
      expect((await inTime(() => store.get(letter.id)))?.id).toBe(letter.id);
      await until(() => pool.idleCount === pool.totalCount && pool.waitingCount === 0);
      await proxy.end();
    });

    it('and one whose pool has no connection to lend are the same', async () => {
      const { pool, store } = open({ timeoutMs: 500 }, { max: 1 });
      await inTime(() => store.migrate());
      const taken = await pool.connect();
      await expect(store.put(letterWith())).rejects.toMatchObject({ code: 'ETIMEDOUT' });
      taken.release();
      await until(() => pool.idleCount === 1 && pool.waitingCount === 0);
      expect((await inTime(() => store.stats())).letters).toBe(0);
    });

    it('and a process that stands still in the middle of a put holds the others up for no longer than its time', async () => {
      const { pool, store } = open({ timeoutMs: 10_000, retention: { maxCount: 2 } });
      await store.migrate();
      const frozen = await pool.connect();
      frozen.on('error', () => undefined);
      // What a put sends before it counts, by a process that goes no further.
      await frozen.query(
        `BEGIN; SET LOCAL idle_in_transaction_session_timeout = 300; SELECT pg_advisory_xact_lock(${ROOM_LOCK})`,
      );
      expect(await store.put(letterWith({ diedAt: Date.now() }))).toMatchObject({ outcome: 'stored' });
      frozen.release(true);
    });
  });

  describe('a COMMIT that nobody answers', () => {
    it('rejects, and the same letter put again is there once', async () => {
      const { pool, store } = open();
      await store.migrate();
      let isCut = true;
      const deaf = new PostgresDeadLetterStore({
        pool: {
          connect: async () => {
            const client = await pool.connect();
            return {
              release: destroy => client.release(destroy),
              query: async (statement, values) => {
                const answer = await client.query(statement, values);
                if (statement !== 'COMMIT' || !isCut) return answer;
                throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
              },
            };
          },
        },
      });
      const letter = letterWith({ diedAt: Date.now() });
      await expect(deaf.put(letter)).rejects.toMatchObject({ code: 'ECONNRESET' });
      isCut = false;
      expect(await deaf.put(letter)).toEqual({ outcome: 'present', evicted: 0 });
      expect(await counted()).toMatchObject({ letters: 1, counted: 1 });
    });
  });

  describe('after an error of a statement', () => {
    it('the connection is as good as before', async () => {
      const { pool, store } = open({ retention: { maxCount: 1 } }, { max: 1 });
      await putAll(store, 1);
      const [{ pid }] = (await pool.query('SELECT pg_backend_pid() AS pid')).rows as [{ pid: number }];
      for (let i = 0; i < 3; i++) await expect(putAll(store, 1)).rejects.toThrow(DeadLetterStoreFullError);
      expect((await pool.query('SELECT pg_backend_pid() AS pid')).rows).toEqual([{ pid }]);
      expect(pool.idleCount).toBe(1);
    });
  });

  describe('secrets of the address', () => {
    it('are in no error, line or warning when the server refuses them', async () => {
      const hostile = new Pool({ connectionString: `postgres://nobody:${SECRET}@127.0.0.1:${postgres.port}/postgres` });
      const store = new PostgresDeadLetterStore({ pool: hostile });
      const lines: string[] = [];
      const queue = new DeadLetterQueue({ name: 'payments', store, lastResort: line => lines.push(line) });
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
      const letter = await queue.letterFor({ operation: 'op', args: [], error: new Error('x') });
      const { error } = (await outcomeOf(store.put(letter))) as { error: Error };
      await queue.keep({ ...letter, version: 1, args: [], error, failedAt: 0, trace: undefined, source: undefined });
      const warnings = JSON.stringify(warn.mock.calls);
      warn.mockRestore();
      await hostile.end();
      expect(lines).toHaveLength(1);
      const seen = [...lines, warnings, error.message, error.stack, JSON.stringify(error)].join('\n');
      expect(seen).not.toContain(SECRET);
    });
  });

  describe('durability', () => {
    let own: OwnPostgres;
    beforeAll(async () => {
      own = await startPostgres({ fsync: 'on' });
    });
    afterAll(() => own?.end());

    it.each(['on', 'off'])(
      'is one fsync for each letter that is acknowledged, with synchronous_commit %s',
      async setting => {
        const letters = 50;
        const before = await fsyncs(own);
        const { store, end } = openStore({
          ...own.config,
          max: 1,
          options: `-c synchronous_commit=${setting}`,
        } as PoolConfig);
        await putAll(store, letters);
        // A process of the server tells what it has counted when it ends, at the latest.
        await end();
        await until(async () => (await fsyncs(own)) >= before + letters);
        process.stdout.write(`${(await fsyncs(own)) - before} fsyncs for ${letters} letters\n`);
      },
    );

    it('of what may be lost is warned about, once', async () => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
      try {
        const store = (options: Omit<PostgresDeadLetterStoreOptions, 'pool'>, pool: PoolConfig = {}): OwnStore => {
          const one = openStore({ ...own.config, ...pool } as PoolConfig, options);
          opened.push(one);
          return one;
        };
        await store({ table: 'logged' }).store.migrate();
        expect(warn).not.toHaveBeenCalled();
        await own.ask('ALTER TABLE logged SET UNLOGGED');
        for (let i = 0; i < 2; i++) await store({ table: 'logged' }).store.migrate();
        expect(warn.mock.calls).toEqual([
          [expect.stringContaining('UNLOGGED'), expect.objectContaining({ code: 'RETRYSCOPE_NOT_DURABLE' })],
        ]);
      } finally {
        warn.mockRestore();
      }
    });
  });
});

describe('the options of a PostgresDeadLetterStore', () => {
  const pool = { connect: () => Promise.reject(new Error('never')) };
  it.each([
    [{ table: 'letters"; DROP TABLE x; --' }, /table is .*lower-case/],
    [{ table: 'Letters' }, /table/],
    [{ table: '1st' }, /table/],
    [{ table: 'a'.repeat(48) }, /table/],
    [{ table: 'a\n' }, /table/],
    [{ table: '' }, /table/],
    [{ schema: 'a.b' }, /schema/],
    [{ timeoutMs: 0 }, /timeoutMs is 0/],
    [{ tabel: 'x' }, /did you mean "table"/],
    [{ pool: { ...pool, release: () => undefined } }, /pool of pg/],
    [{ retention: { maxCount: 0 } }, /maxCount is 0/],
  ])('refuses %j', (own, message) => {
    expect(() => new PostgresDeadLetterStore({ pool, ...own } as never)).toThrow(message);
  });

  it.each([
    ['in place of the options', `postgres://me:${SECRET}@db/x`],
    ['in place of the pool', { pool: `postgres://me:${SECRET}@db/x` }],
    ['as a field of something else', { pool: { password: SECRET } }],
  ])('show nothing of an address %s', (_, options) => {
    expect(() => new PostgresDeadLetterStore(options as never)).toThrow(TypeError);
    expect(() => new PostgresDeadLetterStore(options as never)).not.toThrow(SECRET);
  });
});

/** How often the server has told its disk to keep the log. */
async function fsyncs(postgres: OwnPostgres): Promise<number> {
  const [version] = await postgres.ask<{ number: number }>(
    "SELECT current_setting('server_version_num')::int AS number",
  );
  const [row] = await postgres.ask<{ syncs: number }>(
    Number(version?.number) < 180_000
      ? 'SELECT wal_sync::int AS syncs FROM pg_stat_wal'
      : "SELECT sum(fsyncs)::int AS syncs FROM pg_stat_io WHERE object = 'wal'",
  );
  return Number(row?.syncs);
}

function fail(line: string): never {
  throw new Error(`not stored: ${line}`);
}
