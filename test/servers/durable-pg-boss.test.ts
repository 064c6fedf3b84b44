import { PgBossWaits } from 'retryscope/durable/pg-boss';
import { describeWithProgram } from '../support/needs-program.ts';
import { tellOfDurableWaits } from './durable-story.ts';
import { hasPostgres, type OwnPostgres, startPostgres } from './postgres.ts';

// Real servers on real time, on machines that may be busy.
jest.setTimeout(240_000);

describeWithProgram(
  { name: 'PostgreSQL', debianPackage: 'postgresql', isThere: hasPostgres() },
  'durable waits on pg-boss, with a real PostgreSQL',
  () => {
    let postgres: OwnPostgres;
    beforeAll(async () => {
      postgres = await startPostgres({ max_connections: 100 });
    });
    afterAll(async () => {
      await postgres?.end();
    });

    // pg-boss is there as an ES module alone, which these tests are not: its tables say the same.
    tellOfDurableWaits({
      engine: 'pg-boss',
      port: () => postgres.port,
      put: async data => {
        const statement = `INSERT INTO pgboss.job (name, data, retry_limit, policy) VALUES ('long-waits', $1, 5, 'standard')`;
        await postgres.ask(statement, [JSON.stringify(data)]);
      },
      waiting: async () =>
        (
          await postgres.ask<{ data: Record<string, unknown> }>(
            `SELECT data FROM pgboss.job WHERE name = 'long-waits' AND state = 'created'`,
          )
        ).map(({ data }) => data),
      failures: async () =>
        (
          await postgres.ask<{ message: string }>(
            `SELECT output->>'message' AS message FROM pgboss.job WHERE name = 'long-waits' AND state = 'failed'`,
          )
        ).map(({ message }) => message),
      left: async () =>
        (await postgres.ask(`SELECT 1 FROM pgboss.job WHERE name = 'long-waits' AND state < 'completed'`)).length,
      empty: async () => {
        await postgres.ask(`DELETE FROM pgboss.job WHERE name = 'long-waits'`);
      },
      stopServer: () => postgres.stop(),
      startServer: () => postgres.start(),
    });
  },
);

describe('the options of PgBossWaits', () => {
  const boss = { send: async () => 'id', cancel: async () => undefined, findJobs: async () => [] };

  it('are checked', () => {
    expect(() => new PgBossWaits(undefined as never)).toThrow(TypeError);
    expect(() => new PgBossWaits({ queue: 'q' } as never)).toThrow('boss is undefined; it must be a PgBoss');
    expect(() => new PgBossWaits({ boss } as never)).toThrow('queue is undefined');
    expect(() => new PgBossWaits({ boss, queue: 'q', redact: true } as never)).toThrow(TypeError);
  });

  it('do not let a queue of another policy drop calls', async () => {
    const waits = new PgBossWaits({ boss: { ...boss, send: async () => null }, queue: 'q' });
    const call = {
      ...{ operation: 'charge', version: 1, args: [1], isRestorable: false, error: new Error('x'), attempts: 2 },
      ...{ wait: { delayMs: 1000, delaySource: 'backoff' as const }, startedAt: 1, deadline: undefined },
      ...{ idempotencyKey: 'k', source: undefined, before: undefined },
      ...{ history: [], firstFailedAt: 1, failedAt: 2, trace: undefined },
    };
    expect(await waits.handOver(call, new AbortController().signal)).toBeUndefined();
    expect(waits.counts.kept_in_memory).toBe(1);
  });
});

describe('a job that a worker of PgBossWaits does not know', () => {
  const boss = { send: async () => 'id', cancel: async () => undefined, findJobs: async () => [] };
  const data = { format: 2 };

  it('is completed once another job has taken its place', async () => {
    const sent: unknown[] = [];
    const send = async (...args: unknown[]): Promise<string> => {
      sent.push(args);
      return 'id';
    };
    const waits = new PgBossWaits({ boss: { ...boss, send }, queue: 'q' });
    const results = [...(await waits.process([{ id: 'a', data }])), ...(await waits.process([{ id: 'a', data }]))];
    expect(results).toMatchObject([
      { id: 'a', status: 'completed', output: { outcome: 'put_back', why: 'the job was written by a newer version' } },
      { id: 'a', status: 'completed' },
    ]);
    expect(sent[0]).toEqual(['q', { format: 2, putBack: 1 }, { id: expect.any(String), startAfter: 5 }]);
    // Run twice, it has one successor all the same.
    expect(sent[1]).toEqual(sent[0]);
  });

  it('is left to be run again where the database is not there, or has taken it away', async () => {
    const send = () => Promise.reject(new Error('no connection'));
    const waits = new PgBossWaits({ boss: { ...boss, send }, queue: 'q' });
    expect(await waits.process([{ id: 'a', data }])).toMatchObject([{ id: 'a', status: 'failed' }]);
    const others = new PgBossWaits({ boss, queue: 'q' });
    expect(await others.process([{ id: 'a', data, signal: AbortSignal.abort() }])).toMatchObject([
      { id: 'a', status: 'failed', output: { outcome: 'aborted' } },
    ]);
  });

  it('fails for good where it is not ours', async () => {
    const waits = new PgBossWaits({ boss, queue: 'q' });
    expect(await waits.process([{ id: 'a', data: { hello: 'world' } }])).toMatchObject([
      { id: 'a', status: 'deadletter', output: { message: 'The job is refused: the job is none of ours' } },
    ]);
  });
});
