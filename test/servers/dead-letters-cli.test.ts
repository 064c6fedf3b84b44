import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { Pool } from 'pg';
import { type DeadLetterStore, defineOperation, operations } from 'retryscope/dead-letters';
import { KafkaDeadLetterStore, kafkajsLog } from 'retryscope/dead-letters/kafka';
import { PostgresDeadLetterStore } from 'retryscope/dead-letters/postgres';
import { RedisDeadLetterStore } from 'retryscope/dead-letters/redis';
import { SqliteDeadLetterStore } from 'retryscope/dead-letters/sqlite';
import { list } from '../../cli/dead-letters/list.ts';
import type { StoreOptions } from '../../cli/dead-letters/open-store.ts';
import { purge } from '../../cli/dead-letters/purge.ts';
import { redrive } from '../../cli/dead-letters/redrive.ts';
import { show } from '../../cli/dead-letters/show.ts';
import { stats } from '../../cli/dead-letters/stats.ts';
import { UnavailableError } from '../../cli/unavailable-error.ts';
import { captured } from '../cli/dead-letters/support/captured.ts';
import { type Ended, startCommand } from '../cli/dead-letters/support/command.ts';
import { fillStore } from '../cli/dead-letters/support/filled-store.ts';
import { letterWith } from '../dead-letters/support/letters.ts';
import { describeWithRedis } from '../redis/support/needs-redis.ts';
import { type OwnRedis, startRedis } from '../redis/support/redis-server.ts';
import { until } from '../redis/support/until.ts';
import { describeWithProgram } from '../support/needs-program.ts';
import { hasKafka, type KafkaBroker, startKafka } from './kafka-mock.ts';
import { hasPostgres, type OwnPostgres, startPostgres } from './postgres.ts';

jest.setTimeout(120_000);

let folder: string;
let store: string;
let handlers: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dead-letters-command-'));
  handlers = join(folder, 'operations.mjs');
  const rolldown = join(process.cwd(), 'node_modules/.bin/rolldown');
  const source = join(__dirname, '../cli/dead-letters/support/operations.ts');
  execFileSync(rolldown, [source, '--platform', 'node', '--file', handlers], { stdio: 'pipe' });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  for (const name of ['letters.db', 'letters.db-wal', 'letters.db-shm', 'deliveries']) {
    rmSync(join(folder, name), { force: true });
  }
  const payload = (order: number) =>
    ({ kind: 'plain', json: JSON.stringify([{ order }]), version: 1, bytes: 13, altered: [] }) as const;
  const letters = [7, 13].map(order => letterWith({ diedAt: Date.now() - 5000 + order, payload: payload(order) }));
  store = await fillStore(join(folder, 'letters.db'), letters);
});

const command = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> => startCommand(args, env).ended;

describe('the command', () => {
  it('redrives by a module that has a copy of the library of its own, and ends although that keeps connections', async () => {
    const deliveries = join(folder, 'deliveries');
    const { status, stdout, stderr } = await command(['redrive', '--handlers', handlers], {
      RETRYSCOPE_DEAD_LETTERS: store,
      DELIVERIES: deliveries,
    });
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toMatch(/│ charge_card +│ +1 │ +1 │ +0 │ +0 │ +0 │/);
    expect(readFileSync(deliveries, 'utf8')).toMatch(/^7 key-\d+ 1\n13 key-\d+ 1\n$/);
    const list = await command(['list', '--store', store, '--state', 'dead']);
    expect(list.stdout).toContain('1 redrive');
    expect(list.stdout + list.stderr).not.toContain('hunter2');
  });

  it('gives its letters back when it is interrupted', async () => {
    const deliveries = join(folder, 'deliveries');
    const { child, ended } = startCommand(['redrive', '--store', store, '--handlers', handlers], {
      DELIVERIES: deliveries,
      SLOW: '1',
    });
    try {
      await until(() => existsSync(deliveries), 60_000);
      child.kill('SIGINT');
      await ended;
    } finally {
      // Where it has not come so far, it would go on for a minute.
      child.kill('SIGKILL');
    }
    const { status, stdout, stderr } = await ended;
    expect(status).toBe(130);
    expect(stdout).toContain('! Interrupted. 0 letters were redriven.');
    expect(stderr).toBe('retryscope: giving the letters back; once more to end at once\n');
    await using opened = new SqliteDeadLetterStore({ file: join(folder, 'letters.db'), ballastBytes: 0 });
    expect((await opened.stats()).queues).toMatchObject([{ dead: 2, claimed: 0 }]);
  });

  it('tells how it is used, with what it ends with', async () => {
    const [group, redrive] = await Promise.all([command(['--help']), command(['redrive', '--help'])]);
    expect([group.status, redrive.status]).toEqual([0, 0]);
    for (const name of ['list', 'show', 'redrive', 'purge', 'stats']) expect(group.stdout).toContain(`  ${name} `);
    for (const status of ['0    all', '1    a letter failed', '2    wrong', '69   ', '70   ', '130  ']) {
      expect(redrive.stdout).toContain(`\n  ${status}`);
    }
    expect(redrive.stdout).toContain('RETRYSCOPE_DEAD_LETTERS');
    expect(Math.max(...redrive.stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(88);
  });

  it('ends with what its help says', async () => {
    const runs: [number, string[]][] = [
      [0, ['stats', '--store', store]],
      [1, ['show', 'nothing', '--store', store]],
      [2, ['list']],
      [2, ['list', '--store', 'mysql://me:hunter2@host/db']],
      [2, ['list', '--store', store, '--older-than', 'soon']],
      [69, ['stats', '--store', `sqlite:${join(folder, 'no.db')}`]],
    ];
    const env = { RETRYSCOPE_DEAD_LETTERS: undefined };
    const results = await Promise.all(runs.map(([, args]) => command(args, env)));
    // With what they said, or a failure would not tell why.
    expect(results).toEqual(
      runs.map(([status]) => ({ status, stdout: expect.any(String), stderr: expect.any(String) })),
    );
    for (const { status, stderr } of results) {
      expect(stderr).toMatch(status === 0 ? /^$/ : /^retryscope: .+\n$/);
      expect(stderr).not.toContain('hunter2');
    }
  });
});

/** Letters of a store of its own are listed, counted, sent and deleted, as for any other store. */
function itWorksOn(
  made: () => { readonly address: string; readonly store: DeadLetterStore },
  more: Partial<StoreOptions> = {},
): void {
  it('lists, shows, counts, sends and deletes its letters', async () => {
    const { address, store: own } = made();
    const letters = [1, 2, 3].map(i => letterWith({ diedAt: Date.now() - 5000 + i }));
    for (const letter of letters) await own.put(letter);
    const options = { store: address, json: true, ...more };
    const json = async (work: () => Promise<unknown>) =>
      JSON.parse((await captured(work)).out) as Record<string, unknown>;
    const first = await json(() => list({ ...options, limit: 2 }));
    expect(first).toMatchObject({ letters: letters.slice(0, 2).map(({ id }) => ({ id })) });
    expect(JSON.stringify(first)).not.toContain('hunter2');
    const after = String(first.next);
    expect(await json(() => list({ ...options, limit: 2, after }))).toMatchObject({
      letters: [{ id: letters[2]?.id }],
    });
    expect(await json(() => show(letters[1]?.id ?? '', options))).toMatchObject({ queue: 'payments' });
    const importModule = async () => void defineOperation('charge_card', () => undefined, { maxAttempts: 1 });
    const terms = { handlers: [__filename], concurrency: 2, stopAtFailureRate: 0.5, quarantineAfter: 5, limit: 2 };
    try {
      const sent = await json(() => redrive({ ...options, ...terms }, { importModule }));
      expect(sent).toMatchObject({ stopped: 'limit', results: { redriven: 2, failed: 0 } });
    } finally {
      operations.delete('charge_card');
    }
    expect(await json(() => stats(options))).toMatchObject({ queues: [{ dead: 1, redriven: 2, claimed: 0 }] });
    const all = { ...options, all: true, yes: true };
    expect(await json(() => purge(all))).toMatchObject({ letters: 3 });
    expect(await json(() => stats(options))).toMatchObject({ letters: 0, queues: [] });
  });
}

async function refusal(options: StoreOptions, work: () => Promise<unknown> = () => stats(options)): Promise<string> {
  const error: unknown = await captured(work).catch(fault => fault);
  expect(error).toBeInstanceOf(UnavailableError);
  return (error as Error).message;
}

describeWithProgram(
  { name: 'PostgreSQL', debianPackage: 'postgresql', isThere: hasPostgres() },
  'the command on PostgreSQL',
  () => {
    let postgres: OwnPostgres;
    let pool: Pool;
    let own: PostgresDeadLetterStore;
    beforeAll(async () => {
      postgres = await startPostgres();
      pool = new Pool(postgres.config);
      pool.on('error', () => undefined);
      await postgres.ask('CREATE SCHEMA shop');
      own = new PostgresDeadLetterStore({ pool, schema: 'shop', table: 'letters' });
    });
    afterAll(async () => {
      await own.close();
      await pool.end();
      await postgres.end();
    });
    const address = (): string => postgres.url.replace('tester@', 'tester:hunter2@');

    itWorksOn(() => ({ address: address(), store: own }), { table: 'shop.letters' });

    it('says in one line what is wrong, without the password', async () => {
      const message = await refusal({ store: address().replace(/postgres$/, 'none') });
      expect(message).toMatch(/^postgres:\/\/127\.0\.0\.1:\d+\/none cannot be used: .*database "none" does not exist$/);
    });

    it.each([
      [undefined, 'public.retryscope_dead_letters'],
      ['orders', 'public.orders'],
      ['shop.none', 'shop.none'],
      ['none.letters', 'none.letters'],
    ])('with the table %s finds no store in a database that has none, and makes none', async (table, looked) => {
      await postgres.ask('CREATE DATABASE empty');
      try {
        const options = { store: address().replace(/postgres$/, 'empty'), ...(table === undefined ? {} : { table }) };
        const expected = new RegExp(`^postgres://127\\.0\\.0\\.1:\\d+/empty: there is no table ${looked}$`);
        expect(await refusal(options)).toMatch(expected);
        expect(await refusal(options, () => list({ ...options, limit: 5 }))).toMatch(expected);
        expect(await refusal(options, () => purge({ ...options, all: true, yes: true }))).toMatch(expected);
        const empty = new Pool({ ...postgres.config, database: 'empty' });
        const tables = await empty.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace");
        await empty.end();
        expect(tables.rows).toEqual([]);
      } finally {
        // The server may still be busy with the end of those that have left it.
        await until(async () => {
          await postgres.ask('DROP DATABASE empty');
          return true;
        });
      }
    });
  },
);

describeWithRedis('the command on Redis', () => {
  let redis: OwnRedis;
  let client: Redis;
  let own: RedisDeadLetterStore;
  beforeAll(async () => {
    redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
    await redis.admin.config('SET', 'requirepass', 'hunter2');
    client = new Redis(redis.port, '127.0.0.1', { password: 'hunter2' });
    await client.ping();
    own = new RedisDeadLetterStore({ redis: client, keyPrefix: 'shop:' });
  });
  afterAll(async () => {
    client.disconnect();
    await redis.end();
  });
  afterEach(() => jest.restoreAllMocks());
  const address = (): string => redis.url.replace('//', '//:hunter2@');

  itWorksOn(() => ({ address: address(), store: own }), { prefix: 'shop:' });

  describe('in a project with node-redis alone', () => {
    beforeEach(() => {
      const project = join(folder, 'project');
      mkdirSync(join(project, 'node_modules'), { recursive: true });
      const link = join(project, 'node_modules/redis');
      if (!existsSync(link)) symlinkSync(join(__dirname, '../../node_modules/redis'), link);
      jest.spyOn(process, 'cwd').mockReturnValue(project);
    });
    itWorksOn(() => ({ address: address(), store: own }), { prefix: 'shop:' });

    it('says in one line that nobody is there', async () => {
      const message = await refusal({ store: 'redis://:hunter2@127.0.0.1:1/0' });
      expect(message).toMatch(/^redis:\/\/127\.0\.0\.1:1\/0 cannot be used: .*ECONNREFUSED/);
    });
  });

  it('tells what a redrive did until Redis went away in the middle', async () => {
    const second = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
    try {
      const letters = new RedisDeadLetterStore({ redis: second.admin });
      for (let i = 0; i < 5; i++) await letters.put(letterWith({ diedAt: Date.now() - 5000 + i }));
      let sent = 0;
      const charge = async (): Promise<void> => {
        sent++;
        if (sent === 3) await second.kill();
      };
      const importModule = async () => void defineOperation('charge_card', charge, { maxAttempts: 1 });
      const terms = { handlers: [__filename], concurrency: 1, stopAtFailureRate: 0.5, quarantineAfter: 5 };
      let error: unknown;
      const { out } = await captured(() =>
        redrive({ store: second.url, json: true, ...terms }, { importModule }).catch((fault: unknown) => {
          error = fault;
        }),
      );
      expect(error).toBeInstanceOf(UnavailableError);
      expect((error as Error).message).toMatch(/^redis:\/\/127\.0\.0\.1:\d+ cannot be used: /);
      expect(JSON.parse(out)).toMatchObject({
        stopped: 'fault',
        fault: (error as Error).message,
        results: { redriven: 2, failed: 0, quarantined: 0, lost: 1 },
      });
    } finally {
      operations.delete('charge_card');
      await second.end();
    }
  });

  it('says in one line what is wrong, without the password', async () => {
    expect(await refusal({ store: 'redis://:hunter2@127.0.0.1:1/0' })).toMatch(
      /^redis:\/\/127\.0\.0\.1:1\/0 cannot be used: .*ECONNREFUSED/,
    );
    const wrong = await refusal({ store: redis.url.replace('//', '//:hunter3@') });
    expect(wrong).toMatch(/^redis:\/\/127\.0\.0\.1:\d+ cannot be used: .*(WRONGPASS|invalid)/);
    expect(wrong).not.toContain('hunter3');
  });
});

describeWithProgram({ name: 'kcat', debianPackage: 'kcat', isThere: hasKafka() }, 'the command on Kafka', () => {
  let broker: KafkaBroker;
  let own: KafkaDeadLetterStore;
  const topic = `letters-${randomUUID()}`;
  beforeAll(async () => {
    broker = await startKafka();
    const kafka = new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING });
    own = new KafkaDeadLetterStore({ log: kafkajsLog(kafka, { maxWaitMs: 10, allowAutoTopicCreation: true }), topic });
  });
  afterAll(async () => {
    await own.close();
    await broker.end();
  });

  const address = (): string => `kafka://${broker.brokers.join(',')}/${topic}`;

  itWorksOn(() => ({ address: address(), store: own }), {});

  it('finds no store where there is no such topic, and makes none', async () => {
    const none = `none-${randomUUID()}`;
    const options = { store: `kafka://${broker.brokers.join(',')}/${none}` };
    expect(await refusal(options)).toBe(`${options.store}: there is no topic ${none}`);
    const admin = new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const topics = await admin.listTopics();
    await admin.disconnect();
    expect(topics).not.toContain(none);
  });
});
