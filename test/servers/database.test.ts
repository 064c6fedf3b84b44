import { Client, Pool, type PoolClient, type PoolConfig } from 'pg';
import { retrySummary } from 'retryscope/core';
import {
  checkDatabase,
  isOutcomeUnknown,
  type QueryOptions,
  retryQuery,
  retryTransaction,
  type TransactionOptions,
} from 'retryscope/database';
import { FakeClock } from 'retryscope/testing';
import { loggingObserver } from '../../instrumentation/loggers/index.ts';
import { describeError } from '../../src/engine/describe-error.ts';
import { until } from '../redis/support/until.ts';
import { describeWithProgram } from '../support/needs-program.ts';
import { outcomeOf } from '../support/settle.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { hasPostgres, type OwnPostgres, startPostgres } from './postgres.ts';

// Real servers on real time, on machines that may be busy.
jest.setTimeout(60_000);

/** Patient enough for a server that starts on a busy machine. */
const PATIENT = { initialDelay: 20, maxDelay: 100, maxAttempts: 300, budget: 'none' } as const;
const QUICK = { initialDelay: 5, budget: 'none' } as const;
const PERMANENT = { reason: 'not_retryable', attempts: 1 };

describeWithProgram(
  { name: 'PostgreSQL', debianPackage: 'postgresql', isThere: hasPostgres() },
  'retryscope/database with a real PostgreSQL',
  () => {
    let postgres: OwnPostgres;
    let proxy: FaultProxy;
    const pools: Pool[] = [];

    beforeAll(async () => {
      postgres = await startPostgres({ max_connections: 20 });
      await postgres.ask('CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL)');
      // Without a key, a row that is written twice is there twice.
      await postgres.ask('CREATE TABLE entries (id int NOT NULL)');
      proxy = await startFaultProxy({ to: { port: postgres.port } });
    });

    beforeEach(async () => {
      proxy.heal();
      await postgres.ask('TRUNCATE accounts, entries');
      await postgres.ask('INSERT INTO accounts VALUES (1, 100), (2, 100)');
    });

    afterEach(async () => {
      proxy.set({ mode: 'reset' });
      await Promise.all(pools.splice(0).map(pool => pool.end()));
    });

    afterAll(async () => {
      await proxy?.end();
      await postgres?.end();
    });

    function poolOf(config: PoolConfig = {}): Pool {
      const pool = new Pool({ ...(postgres.config as PoolConfig), ...config });
      pool.on('error', () => undefined);
      pools.push(pool);
      return pool;
    }

    /** A pool whose connections go through the proxy. */
    const proxied = (config: PoolConfig = {}): Pool => poolOf({ port: proxy.port, ...config });

    const rowsOf = async (id: number): Promise<number> =>
      (await postgres.ask('SELECT id FROM entries WHERE id = $1', [id])).length;
    const balances = async (): Promise<number[]> =>
      (await postgres.ask<{ balance: number }>('SELECT balance FROM accounts ORDER BY id')).map(row => row.balance);
    /** Waits until another connection is in this state. */
    const untilWaiting = (state: string): Promise<void> =>
      until(async () => {
        const sql = `SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND ${state}`;
        return (await postgres.ask(sql)).length > 0;
      });

    /** Lets the delay before the next attempt begin, and pass. */
    const passDelay = async (clock: FakeClock): Promise<void> => {
      await until(() => clock.sleeps.length > 0);
      await clock.advance(clock.sleeps[0] as number);
    };

    describe('a transaction', () => {
      it('gives what its function returned, and is committed', async () => {
        const pool = poolOf();
        const sum = await retryTransaction(pool, async client => {
          await client.query('UPDATE accounts SET balance = balance - 30 WHERE id = $1', [1]);
          await client.query('UPDATE accounts SET balance = balance + 30 WHERE id = $1', [2]);
          const { rows } = await client.query<{ sum: string }>('SELECT sum(balance) FROM accounts');
          return Number(rows[0]?.sum);
        });
        expect(sum).toBe(200);
        expect(await balances()).toEqual([70, 130]);
        expect(pool.idleCount).toBe(1);
      });

      it('two at a time that add to what they have read: both are repeated until both are right (40001)', async () => {
        const pool = poolOf();
        const codes: unknown[] = [];
        const { promise: bothHaveRead, resolve } = Promise.withResolvers<void>();
        let reads = 0;
        const options: TransactionOptions<never> = {
          ...QUICK,
          isolation: 'serializable',
          maxAttempts: 10,
          onRetry: ({ error }) => codes.push((error as { code?: unknown }).code),
        };
        const add = async (client: PoolClient): Promise<void> => {
          const { rows } = await client.query<{ balance: number }>('SELECT balance FROM accounts WHERE id = 1');
          if (++reads === 2) resolve();
          await bothHaveRead;
          await client.query('UPDATE accounts SET balance = $1 WHERE id = 1', [(rows[0]?.balance ?? 0) + 10]);
        };
        await Promise.all([retryTransaction(pool, add, options), retryTransaction(pool, add, options)]);
        expect(await balances()).toEqual([120, 100]);
        expect(codes.length).toBeGreaterThan(0);
        expect(new Set(codes)).toEqual(new Set(['40001']));
      });

      it('two that lock each other out: the one that the server picks is repeated (40P01)', async () => {
        const pool = poolOf();
        const codes: unknown[] = [];
        const { promise: bothHaveOne, resolve } = Promise.withResolvers<void>();
        let locked = 0;
        const options: TransactionOptions<never> = {
          ...QUICK,
          onRetry: ({ error }) => codes.push((error as { code?: unknown }).code),
        };
        const move = (from: number, to: number): Promise<void> =>
          retryTransaction(
            pool,
            async client => {
              await client.query('UPDATE accounts SET balance = balance - 1 WHERE id = $1', [from]);
              if (++locked === 2) resolve();
              await bothHaveOne;
              await client.query('UPDATE accounts SET balance = balance + 1 WHERE id = $1', [to]);
            },
            options,
          );
        await Promise.all([move(1, 2), move(2, 1)]);
        expect(codes).toEqual(['40P01']);
        expect(await balances()).toEqual([100, 100]);
      });

      it('whose function throws an error of its own is rolled back, not repeated, and rejects with that very error', async () => {
        const pool = poolOf();
        const mine = Object.freeze(new Error('not enough money'));
        const call = retryTransaction(pool, async client => {
          await client.query('UPDATE accounts SET balance = 0');
          throw mine;
        });
        await expect(call).rejects.toBe(mine);
        expect(retrySummary(mine)).toMatchObject(PERMANENT);
        expect(await balances()).toEqual([100, 100]);
        expect(pool.idleCount).toBe(1);
      });

      it('whose function caught the error of a statement is not said to be committed when it is not', async () => {
        const pool = poolOf();
        let caught: unknown;
        const call = retryTransaction(pool, async client => {
          await client.query('UPDATE accounts SET balance = 0');
          await client.query('INSERT INTO accounts VALUES (1, 1)').catch((error: unknown) => {
            caught = error;
          });
          return 'done';
        });
        await expect(call).rejects.toMatchObject({ code: '23505' });
        await call.catch(error => expect(error).toBe(caught));
        expect(await balances()).toEqual([100, 100]);
        // A savepoint is the way to go on after an error.
        await retryTransaction(pool, async client => {
          await client.query('UPDATE accounts SET balance = 7 WHERE id = 1');
          await client.query('SAVEPOINT before');
          await client.query('INSERT INTO accounts VALUES (1, 1)').catch(() => undefined);
          await client.query('ROLLBACK TO SAVEPOINT before');
        });
        expect(await balances()).toEqual([7, 100]);
      });

      it('has the isolation and the access that were asked for', async () => {
        const pool = poolOf();
        const settings = async (options: TransactionOptions<unknown[]>): Promise<unknown[]> =>
          retryTransaction(
            pool,
            async client => [
              (await client.query('SHOW transaction_isolation')).rows[0].transaction_isolation,
              (await client.query('SHOW transaction_read_only')).rows[0].transaction_read_only,
            ],
            options,
          );
        expect(await settings({})).toEqual(['read committed', 'off']);
        expect(await settings({ isolation: 'serializable', readOnly: true })).toEqual(['serializable', 'on']);
        expect(await settings({ isolation: 'repeatable read', readOnly: false })).toEqual(['repeatable read', 'off']);
        const write = retryTransaction(pool, client => client.query('DELETE FROM accounts'), { readOnly: true });
        await expect(write).rejects.toMatchObject({ code: '25006' });
      });

      it('100 that fail, 10 at a time, leave every connection of the pool free', async () => {
        const pool = poolOf({ max: 3 });
        const fail = (i: number): Promise<unknown> =>
          retryTransaction(
            pool,
            async client => {
              await client.query('UPDATE accounts SET balance = $1', [i]);
              if (i % 3 === 0) throw new Error('mine');
              if (i % 3 === 1) await client.query('SELECT nonsense');
              else await client.query('SELECT pg_terminate_backend(pg_backend_pid())');
            },
            { ...QUICK, maxAttempts: 2, initialDelay: 0 },
          ).catch(() => undefined);
        for (let i = 0; i < 100; i += 10) await Promise.all(Array.from({ length: 10 }, (_, j) => fail(i + j)));
        expect(pool.waitingCount).toBe(0);
        expect(pool.totalCount).toBe(pool.idleCount);
        const { rows } = await pool.query(
          "SELECT count(*)::int AS open FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'",
        );
        expect(rows).toEqual([{ open: 0 }]);
        expect(await balances()).toEqual([100, 100]);
      });

      it('refuses statements of a function that has left them behind, once it is over', async () => {
        const pool = poolOf({ max: 1 });
        const { promise: over, resolve } = Promise.withResolvers<void>();
        let stray: Promise<unknown> = Promise.resolve();
        const call = retryTransaction(pool, async client => {
          stray = over.then(() => client.query('UPDATE accounts SET balance = 0'));
          client.release();
          await client.query('SELECT nonsense');
        });
        await expect(call).rejects.toMatchObject({ code: '42703' });
        resolve();
        await expect(stray).rejects.toThrow('The transaction has ended');
        expect(await balances()).toEqual([100, 100]);
        expect(pool.idleCount).toBe(1);
      });
    });

    describe('an answer that a COMMIT never got', () => {
      /** From now on the server hears everything, and the first byte of its answer ends the connection. */
      const cutTheAnswer = (): void => proxy.set({ cutAfterBytes: 0 });

      it('ends the call, and there is exactly one row', async () => {
        const pool = proxied();
        let attempts = 0;
        const call = retryTransaction(pool, async client => {
          attempts++;
          await client.query('INSERT INTO entries VALUES (3)');
          cutTheAnswer();
          return 'inserted';
        });
        const { error } = (await outcomeOf(call)) as { error: unknown };
        expect(isOutcomeUnknown(error)).toBe(true);
        expect(retrySummary(error)).toMatchObject(PERMANENT);
        expect(attempts).toBe(1);
        await until(async () => (await rowsOf(3)) === 1);
      });

      it('is cleared up by verifyCommit: committed, so the call succeeds with what the function had returned', async () => {
        const pool = proxied();
        const options: TransactionOptions<string> = {
          ...QUICK,
          onRetry: () => proxy.heal(),
          verifyCommit: async () => (await pool.query('SELECT 1 FROM entries WHERE id = 3')).rowCount === 1,
        };
        let attempts = 0;
        const call = retryTransaction(
          pool,
          async client => {
            attempts++;
            await client.query('INSERT INTO entries VALUES (3)');
            cutTheAnswer();
            return `inserted by attempt ${attempts}`;
          },
          options,
        );
        expect(await call).toBe('inserted by attempt 1');
        expect(attempts).toBe(1);
        expect(await rowsOf(3)).toBe(1);
      });

      it('is cleared up by verifyCommit: not committed, so the transaction is repeated', async () => {
        const pool = proxied();
        // Only the attempt that is held up runs out of time, however slow the others are.
        const clock = new FakeClock();
        let attempts = 0;
        const call = retryTransaction(
          pool,
          async client => {
            attempts++;
            await client.query('INSERT INTO entries VALUES (3)');
            // Nothing reaches the server any more, COMMIT included.
            if (attempts === 1) proxy.set({ mode: 'hang' });
            return attempts;
          },
          {
            ...QUICK,
            clock,
            attemptTimeout: 300,
            onRetry: () => {
              // What the proxy has held back is lost for good.
              proxy.reset();
              proxy.heal();
            },
            verifyCommit: async () => (await pool.query('SELECT 1 FROM entries WHERE id = 3')).rowCount === 1,
          },
        );
        await until(() => proxy.fault.mode === 'hang');
        await clock.advance(300);
        await passDelay(clock);
        expect(await call).toBe(2);
        expect(await rowsOf(3)).toBe(1);
      });

      it('does not matter to a transaction that only reads', async () => {
        const pool = proxied();
        let attempts = 0;
        const call = retryTransaction(
          pool,
          async client => {
            const { rows } = await client.query<{ balance: number }>('SELECT balance FROM accounts WHERE id = 1');
            if (++attempts === 1) cutTheAnswer();
            return rows[0]?.balance;
          },
          { ...QUICK, readOnly: true, onRetry: () => proxy.heal() },
        );
        expect(await call).toBe(100);
        expect(attempts).toBe(2);
      });

      it('never makes two rows, wherever the connection is cut', async () => {
        const pool = proxied();
        const unknown: number[] = [];
        // From within the greeting of the server to past its last answer, whatever its version.
        for (let bytes = 400; bytes < 740; bytes += 10) {
          const call = retryTransaction(
            pool,
            async client => {
              await client.query('INSERT INTO entries VALUES ($1)', [bytes]);
              await client.query('SELECT 1');
            },
            { ...QUICK, onRetry: () => proxy.heal() },
          );
          proxy.set({ cutAfterBytes: bytes });
          const outcome = await outcomeOf(call);
          proxy.heal();
          if ('value' in outcome) expect(await rowsOf(bytes)).toBe(1);
          else if (isOutcomeUnknown(outcome.error)) unknown.push(bytes);
          else throw outcome.error;
          proxy.reset();
          await until(() => pool.totalCount === 0);
        }
        expect(await postgres.ask('SELECT id FROM entries GROUP BY id HAVING count(*) > 1')).toEqual([]);
        expect(unknown.length).toBeGreaterThan(0);
        expect(unknown.length).toBeLessThan(10);
      });
    });

    describe('a statement', () => {
      it('that writes is sent once when its answer is lost, and its outcome is unknown', async () => {
        const pool = proxied();
        await pool.query('SELECT 1');
        proxy.set({ cutAfterBytes: 0 });
        const call = retryQuery(pool, 'INSERT INTO entries VALUES ($1)', [3], QUICK);
        const { error } = (await outcomeOf(call)) as { error: unknown };
        expect(isOutcomeUnknown(error)).toBe(true);
        expect(retrySummary(error)).toMatchObject(PERMANENT);
        await until(async () => (await rowsOf(3)) === 1);
      });

      it.each<[string, QueryOptions<never>]>([
        ['SELECT id, balance FROM accounts WHERE id = 1', {}],
        ['INSERT INTO entries VALUES (3) ON CONFLICT DO NOTHING RETURNING 1', { idempotent: true }],
      ])('that may be repeated is sent again: %s', async (statement, options) => {
        const pool = proxied();
        await pool.query('SELECT 1');
        proxy.set({ cutAfterBytes: 0 });
        const call = retryQuery(pool, statement, undefined, { ...QUICK, ...options, onRetry: () => proxy.heal() });
        expect(await call).toMatchObject({ command: statement.slice(0, 6) });
      });

      it('that cannot reach the server is repeated even when it writes', async () => {
        const other = await startFaultProxy({ to: { port: postgres.port } });
        await other.end();
        const pool = poolOf({ port: other.port });
        const call = retryQuery(pool, 'INSERT INTO entries VALUES (3)', undefined, QUICK);
        const { error } = (await outcomeOf(call)) as { error: unknown };
        expect(error).toMatchObject({ code: 'ECONNREFUSED' });
        expect(retrySummary(error)).toMatchObject({ reason: 'attempts_exhausted', attempts: 3 });
        expect(isOutcomeUnknown(error)).toBe(false);
      });

      it.each([
        ['INSERT INTO accounts VALUES (1, 1)', '23505'],
        ['SELEC 1', '42601'],
        ['SELECT 1 / 0', '22012'],
        ['SELECT * FROM nowhere', '42P01'],
      ])('that is wrong is not repeated: %s (%s)', async (statement, code) => {
        const pool = poolOf();
        const { error } = (await outcomeOf(retryQuery(pool, statement, undefined, QUICK))) as { error: unknown };
        expect(error).toMatchObject({ code });
        expect(retrySummary(error)).toMatchObject(PERMANENT);
        expect(isOutcomeUnknown(error)).toBe(false);
      });

      it('that fails over a row with a secret shows it in no log line and no description', async () => {
        const pool = poolOf();
        await postgres.ask('CREATE TABLE people (name text UNIQUE)');
        await retryQuery(pool, 'INSERT INTO people VALUES ($1)', ['hunter2']);
        const lines: string[] = [];
        const observer = loggingObserver(record => {
          lines.push(JSON.stringify(record));
        });
        const call = retryQuery(pool, 'INSERT INTO people VALUES ($1)', ['hunter2'], { ...QUICK, observer });
        const { error } = (await outcomeOf(call)) as { error: { detail?: string } };
        expect(error.detail).toContain('hunter2');
        expect(lines).toHaveLength(1);
        expect(`${lines.join()} ${JSON.stringify(describeError(error))}`).not.toContain('hunter2');
      });

      it('that meets a lock is repeated, although it writes (55P03)', async () => {
        const pool = poolOf();
        const holder = await pool.connect();
        await holder.query('BEGIN');
        await holder.query('SELECT * FROM accounts FOR UPDATE');
        const statement =
          'UPDATE accounts SET balance = 1 WHERE id = (SELECT 1 FROM accounts WHERE id = 1 FOR UPDATE NOWAIT)';
        let letGo: Promise<unknown> = Promise.resolve();
        const call = retryQuery(pool, statement, undefined, {
          ...QUICK,
          maxAttempts: 50,
          onRetry: ({ error }) => {
            expect(error).toMatchObject({ code: '55P03' });
            letGo = holder.query('COMMIT');
          },
        });
        expect((await call).rowCount).toBe(1);
        await letGo;
        holder.release();
      });

      it('over one client is repeated while the connection is whole, and not in a transaction or when it breaks', async () => {
        const client = new Client({ ...postgres.config, port: proxy.port });
        client.on('error', () => undefined);
        await client.connect();
        expect((await retryQuery(client, 'SELECT 1 AS one', undefined, QUICK)).rows).toEqual([{ one: 1 }]);
        await client.query('BEGIN');
        const locked = poolOf();
        const holder = await locked.connect();
        await holder.query('BEGIN');
        await holder.query('LOCK accounts');
        const busy = retryQuery(client, 'LOCK accounts NOWAIT', undefined, QUICK);
        await expect(busy).rejects.toMatchObject({ code: '55P03' });
        await busy.catch(error => expect(retrySummary(error)).toMatchObject(PERMANENT));
        await holder.query('ROLLBACK');
        holder.release();
        await client.query('ROLLBACK');
        proxy.reset();
        const broken = retryQuery(client, 'SELECT 1', undefined, QUICK);
        await broken.catch(error => expect(retrySummary(error)).toMatchObject(PERMANENT));
        await expect(broken).rejects.toThrow();
      });
    });

    describe('a server that hangs', () => {
      it('has its connection closed when the attempt has had its time, and the next attempt gets another', async () => {
        const pool = proxied({ max: 1 });
        await pool.query('SELECT 1');
        proxy.set({ mode: 'hang' });
        const clock = new FakeClock();
        const call = retryQuery(pool, 'SELECT 2 AS two', undefined, {
          ...QUICK,
          clock,
          attemptTimeout: 200,
          onRetry: () => proxy.heal(),
        });
        await until(() => pool.idleCount === 0);
        await clock.advance(200);
        await passDelay(clock);
        expect((await call).rows).toEqual([{ two: 2 }]);
        expect(pool.totalCount).toBe(1);
        expect(pool.idleCount).toBe(1);
      });

      it('never gives back a connection with a statement on it', async () => {
        const pool = poolOf({ max: 1 });
        const clock = new FakeClock();
        const options = { ...QUICK, clock, attemptTimeout: 200 };
        const call = outcomeOf(
          retryQuery(pool, 'UPDATE accounts SET balance = 5 FROM pg_sleep(30)', undefined, options),
        );
        await untilWaiting("query LIKE '%pg_sleep(30)%'");
        await clock.advance(200);
        const { error } = (await call) as { error: unknown };
        expect(error).toMatchObject({ code: 'ERR_RETRY_ATTEMPT_TIMEOUT' });
        expect(isOutcomeUnknown(error)).toBe(true);
        expect(pool.idleCount).toBe(0);
        expect((await pool.query('SELECT 3 AS three')).rows).toEqual([{ three: 3 }]);
        await postgres.ask(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()",
        );
      });

      it('lets go at once of a caller that aborts, in a transaction and in the queue of the pool', async () => {
        const pool = poolOf({ max: 1 });
        const controller = new AbortController();
        const running = retryTransaction(pool, client => client.query('SELECT pg_sleep(30)'), {
          ...QUICK,
          signal: controller.signal,
        });
        await untilWaiting("query LIKE '%pg_sleep(30)%'");
        const queued = retryQuery(pool, 'SELECT 1', undefined, { ...QUICK, signal: controller.signal });
        const reason = new Error('enough');
        controller.abort(reason);
        await expect(running).rejects.toBe(reason);
        await expect(queued).rejects.toBe(reason);
        expect((await pool.query('SELECT 4 AS four')).rows).toEqual([{ four: 4 }]);
        expect(pool.totalCount).toBe(pool.idleCount);
        await postgres.ask(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()",
        );
      });
    });

    describe('a server that restarts', () => {
      it('keeps a transaction waiting that had begun, and a statement that had not (57P01, refused)', async () => {
        const pool = poolOf();
        const errors: string[] = [];
        const note = ({ error }: { error: unknown }): void => {
          const { code, message } = error as { code?: string; message: string };
          errors.push(code ?? message);
        };
        let restarted: Promise<void> = Promise.resolve();
        let attempts = 0;
        await retryTransaction(
          pool,
          async client => {
            await client.query('UPDATE accounts SET balance = balance + 1 WHERE id = 1');
            if (++attempts === 1) {
              restarted = postgres.stop().then(() => postgres.start());
              await client.query('SELECT pg_sleep(30)');
            }
          },
          { ...PATIENT, onRetry: note },
        );
        await restarted;
        expect(await balances()).toEqual([101, 100]);
        expect(errors[0]).toBe('57P01');
        expect(
          errors
            .slice(1)
            .every(error =>
              ['ECONNREFUSED', '57P03', 'ECONNRESET', 'Connection terminated unexpectedly'].includes(error),
            ),
        ).toBe(true);
      });

      it('after a crash is waited for, also by a statement that writes, since it is refused while it recovers', async () => {
        const pool = poolOf();
        await postgres.stop('crash');
        const errors = new Set<unknown>();
        const call = retryQuery(pool, 'INSERT INTO entries VALUES (3)', undefined, {
          ...PATIENT,
          onRetry: ({ error }) => errors.add((error as { code?: unknown }).code),
        });
        await until(() => errors.size > 0);
        await postgres.start();
        expect((await call).rowCount).toBe(1);
        expect(await rowsOf(3)).toBe(1);
        expect(errors.has('ECONNREFUSED')).toBe(true);
      });

      it('refuses newcomers while it waits for others to leave, and has them wait for the next one (57P03)', async () => {
        const other = new Client(postgres.config);
        await other.connect();
        const stopped = postgres.stop('smart');
        const pool = poolOf();
        const codes: unknown[] = [];
        let restarted: Promise<void> = Promise.resolve();
        const call = retryQuery(pool, 'INSERT INTO entries VALUES (3)', undefined, {
          ...PATIENT,
          onRetry: ({ error }) => {
            const { code } = error as { code?: unknown };
            if (code === '57P03' && !codes.includes(code)) {
              restarted = other
                .end()
                .then(() => stopped)
                .then(() => postgres.start());
            }
            codes.push(code);
          },
        });
        expect((await call).rowCount).toBe(1);
        await restarted;
        expect(codes).toContain('57P03');
        expect(await rowsOf(3)).toBe(1);
      });

      it('that ends a session in the middle of a statement leaves its outcome unknown when it writes (57P01)', async () => {
        const pool = poolOf();
        const call = outcomeOf(retryQuery(pool, 'UPDATE accounts SET balance = 1 FROM pg_sleep(30)', undefined, QUICK));
        await untilWaiting("query LIKE '%pg_sleep(30)%'");
        await postgres.ask(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()",
        );
        const { error } = (await call) as { error: unknown };
        expect(error).toMatchObject({ code: '57P01' });
        expect(isOutcomeUnknown(error)).toBe(true);
      });
    });

    it('a server that is full is asked again, as one that is throttled (53300)', async () => {
      const pool = poolOf({ user: 'app' });
      await postgres.ask('CREATE ROLE app LOGIN CONNECTION LIMIT 1');
      await postgres.ask('GRANT ALL ON entries TO app');
      const only = new Client({ ...postgres.config, user: 'app' });
      await only.connect();
      const codes: unknown[] = [];
      let ended: Promise<void> = Promise.resolve();
      const call = retryQuery(pool, 'INSERT INTO entries VALUES (3)', undefined, {
        ...PATIENT,
        onRetry: ({ error }) => {
          codes.push((error as { code?: unknown }).code);
          if (codes.length === 1) ended = only.end();
        },
      });
      expect((await call).rowCount).toBe(1);
      await ended;
      expect(new Set(codes)).toEqual(new Set(['53300']));
    });

    it('a pool whose connections are all taken is asked again, although pg gives that error no code', async () => {
      const pool = poolOf({ max: 1 });
      const holder = await pool.connect();
      // From now on: the one connection itself may take longer, on a busy machine.
      pool.options.connectionTimeoutMillis = 50;
      const errors: string[] = [];
      const call = retryQuery(pool, 'INSERT INTO entries VALUES (3)', undefined, {
        ...PATIENT,
        onRetry: ({ error }) => {
          if (errors.push((error as Error).message) === 2) holder.release();
        },
      });
      expect((await call).rowCount).toBe(1);
      expect(errors.slice(0, 2)).toEqual(Array(2).fill('timeout exceeded when trying to connect'));
    });

    describe('the health check', () => {
      it('tells how many attempts it took', async () => {
        const pool = poolOf();
        expect(await checkDatabase(pool)).toEqual({ attempts: 1, latencyMs: expect.any(Number) });
        expect(pool.idleCount).toBe(1);
        const client = new Client(postgres.config);
        await client.connect();
        expect(await checkDatabase(client)).toMatchObject({ attempts: 1 });
        await client.end();
      });

      it('does not wait for a wrong name of a database, and rejects with the error of the server', async () => {
        const pool = poolOf({ database: 'nowhere' });
        const { error } = (await outcomeOf(checkDatabase(pool))) as { error: unknown };
        expect(error).toMatchObject({ code: '3D000' });
        expect(retrySummary(error)).toMatchObject(PERMANENT);
      });

      it('gives up on a server that hangs', async () => {
        const pool = proxied();
        proxy.set({ mode: 'hang' });
        const clock = new FakeClock();
        const call = outcomeOf(checkDatabase(pool, { clock }));
        for (const ms of [5000, 500, 5000, 1000, 5000]) {
          await until(() => clock.pending > 0);
          await clock.advance(ms);
        }
        const { error } = (await call) as { error: unknown };
        expect(error).toMatchObject({ code: 'ERR_RETRY_ATTEMPT_TIMEOUT' });
        expect(isOutcomeUnknown(error)).toBe(false);
        expect(clock.sleeps).toEqual([500, 1000]);
      });
    });
  },
);
