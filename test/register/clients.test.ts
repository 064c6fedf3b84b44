import { type KafkaWireMock, startKafkaWireMock } from '../servers/kafka-wire-mock.ts';
import { type PostgresDouble, startPostgresDouble } from './support/postgres-double.ts';
import { type RedisDouble, startRedisDouble } from './support/redis-double.ts';
import { type AppRun, packageFolder, runApp } from './support/run-app.ts';

// Processes are started here, on machines that may be busy.
jest.setTimeout(60_000);
beforeAll(packageFolder, 60_000);

const QUICK = { maxAttempts: 3, initialDelay: 1, maxDelay: 5 };

function run(main: string, services: readonly object[], type: 'mjs' | 'cjs' = 'mjs'): Promise<AppRun> {
  return runApp({ main, type, files: { 'retryscope.config.json': JSON.stringify({ services }) } });
}

describe('Redis', () => {
  let redis: RedisDouble;
  beforeEach(async () => {
    redis = await startRedisDouble();
  });
  afterEach(() => redis.end());

  const LOADING = 'LOADING Redis is loading the dataset in memory';
  const RULE = { kind: 'redis', host: '127.0.0.1', policy: QUICK };
  const clients: [name: string, connect: () => string, end: string][] = [
    [
      'ioredis',
      () => `import Redis from 'ioredis';
        const client = new Redis({ port: ${redis.port}, host: '127.0.0.1', keyPrefix: 'app:', retryStrategy: () => 5, maxRetriesPerRequest: 0 });
        client.on('error', () => undefined);
        await new Promise(resolve => client.once('ready', resolve));`,
      'process.exit();',
    ],
    [
      'redis',
      () => `import { createClient } from 'redis';
        const client = createClient({ RESP: 2, socket: { host: '127.0.0.1', port: ${redis.port}, reconnectStrategy: () => 5 } });
        client.on('error', () => undefined);
        await client.connect();`,
      'process.exit();',
    ],
  ];

  describe.each(clients)('of %s', (name, connect, end) => {
    const key = name === 'ioredis' ? 'app:key' : 'key';

    it('has its commands retried by the rule of the policy file', async () => {
      redis.next.push(LOADING, LOADING);
      const { reported, stderr } = await run(`${connect()} report(await client.get('key')); ${end}`, [RULE]);
      expect([reported, stderr]).toEqual([['value'], '']);
      expect(redis.commands.map(command => command.toLowerCase())).toEqual(Array(3).fill(`get ${key}`));
    });

    it('sends a command again only if it may be carried out twice, when the connection breaks', async () => {
      redis.next.push('hang_up');
      const main = `${connect()} await client.incr('key').catch(() => report('failed')); ${end}`;
      const { reported } = await run(main, [RULE]);
      expect([reported, redis.commands.length]).toEqual([['failed'], 1]);
    });

    it('is left alone without a rule for the command', async () => {
      redis.next.push(LOADING);
      const rule = { ...RULE, name: 'set' };
      const { reported } = await run(`${connect()} await client.get('key').catch(e => report(e.message)); ${end}`, [
        rule,
      ]);
      expect([reported, redis.commands.length]).toEqual([[LOADING], 1]);
    });

    it('keeps the order of commands of which only some have a rule', async () => {
      const main = `${connect()} await Promise.all([client.set('key', '1'), client.get('key'), client.set('key', '2')]); ${end}`;
      await run(main, [{ ...RULE, name: 'set' }]);
      const words = redis.commands.map(command => command.toLowerCase().split(' '));
      expect(words.map(([command, , value]) => [command, value])).toEqual([
        ['set', '1'],
        ['get', undefined],
        ['set', '2'],
      ]);
    });

    it('is retried by a rule that names the command in capitals', async () => {
      redis.next.push(LOADING);
      const { reported } = await run(`${connect()} report(await client.get('key')); ${end}`, [
        { ...RULE, name: 'PUT' },
        { ...RULE, name: 'G*' },
      ]);
      expect([reported, redis.commands.length]).toEqual([['value'], 2]);
    });

    it('leaves what stands in a transaction alone', async () => {
      redis.next.push('ERR no transactions here');
      await run(`${connect()} await client.multi().get('key').exec().catch(() => undefined); ${end}`, [RULE]);
      expect(redis.commands.filter(command => command.toLowerCase().startsWith('get'))).toHaveLength(1);
    });
  });
});

describe('Redis of ioredis', () => {
  let redis: RedisDouble;
  beforeEach(async () => {
    redis = await startRedisDouble();
  });
  afterEach(() => redis.end());

  const RULE = { kind: 'redis', policy: QUICK };
  const LOADING = 'LOADING Redis is loading the dataset in memory';
  const main = (work: string): string => `import Redis, { Command } from 'ioredis';
    const client = new Redis({ port: ${redis.port}, host: '127.0.0.1' });
    client.on('error', () => undefined);
    await new Promise(resolve => client.once('ready', resolve));
    ${work}
    process.exit();`;

  it('gets the same arguments in each attempt, transformed once', async () => {
    redis.next.push(LOADING, LOADING);
    const work = `
      let calls = 0;
      Command.setArgumentTransformer('set', ([key, value]) => { calls++; return [key, JSON.stringify(value)]; });
      report(await client.set('key', { a: Buffer.from('b').toString() }));
      report(calls);`;
    const { reported } = await run(main(work), [RULE]);
    expect([reported, redis.commands]).toEqual([['value', 1], Array(3).fill('set key {"a":"b"}')]);
  });

  it('gets the same bytes in each attempt, and transforms the reply once', async () => {
    redis.next.push(LOADING);
    const work = `
      Command.setReplyTransformer('set', reply => [reply]);
      report(await client.set(Buffer.from('key'), Buffer.from([0xe4])));
      report(Buffer.isBuffer(await client.getBuffer('key')));`;
    const { reported } = await run(main(work), [RULE]);
    expect([reported, redis.commands]).toEqual([
      [['value'], true],
      ['set key \xe4', 'set key \xe4', 'get key'],
    ]);
  });

  it('settles the promise that the command has had from the beginning, and no other', async () => {
    redis.next.push(LOADING, LOADING, LOADING, 'WRONGTYPE no', LOADING);
    const work = `
      for (let i = 0; i < 3; i++) {
        const command = new Command('get', ['key'], { replyEncoding: 'utf8' });
        const { promise } = command;
        client.sendCommand(command);
        report(await promise.catch(error => error.message));
      }
      // Whatever nobody has caught would end the process now.
      await new Promise(resolve => setImmediate(resolve));
      report('alive');`;
    const { reported, stderr } = await run(main(work), [RULE]);
    expect([reported, stderr]).toEqual([[LOADING, 'WRONGTYPE no', 'value', 'alive'], '']);
    expect(redis.commands).toHaveLength(6);
  });

  it('sends a script whole that the server has forgotten between two attempts', async () => {
    redis.next.push('ERR no', LOADING, 'NOSCRIPT No matching script');
    const work = `
      client.defineCommand('mine', { numberOfKeys: 1, lua: 'return 1' });
      report(await client.mine('key').catch(error => error.message));
      report(await client.mine('key').catch(error => error.message));`;
    const { reported } = await run(main(work), [RULE]);
    expect(redis.commands.map(command => command.split(' ')[0])).toEqual(['eval', 'evalsha', 'evalsha', 'eval']);
    expect(reported).toEqual(['ERR no', 'value']);
  });
});

describe('Kafka', () => {
  let kafka: KafkaWireMock;
  beforeEach(async () => {
    kafka = await startKafkaWireMock();
  });
  afterEach(() => kafka.end());

  const RULE = { kind: 'kafka', name: 'orders', operation: 'publish_order', policy: QUICK };
  const KAFKAJS = (load: string): string => `${load}
    (async () => {
      const client = new Kafka({ brokers: BROKERS, logLevel: 0, retry: { retries: 0 } });
      const producer = client.producer({ retry: { retries: 0 }, createPartitioner: Partitioners.DefaultPartitioner });
      await producer.connect();
      report(await producer.send({ topic: 'orders', messages: [{ key: 'k', value: 'v' }] }).then(all => all.length, error => error.name));
      await producer.disconnect();
    })();`;
  const PLATFORMATIC = `import { Producer, stringSerializers } from '@platformatic/kafka';
    const producer = new Producer({ clientId: 'x', bootstrapBrokers: BROKERS, serializers: stringSerializers, retries: 0 });
    report(await producer.send({ messages: [{ topic: 'orders', key: 'k', value: 'v' }] }).then(() => 1, error => error.message));
    await producer.close();`;

  it.each([
    ['kafkajs, imported', KAFKAJS(`import { Kafka, Partitioners } from 'kafkajs';`), 'mjs'],
    ['kafkajs, required', KAFKAJS(`const { Kafka, Partitioners } = require('kafkajs');`), 'cjs'],
    ['@platformatic/kafka', PLATFORMATIC, 'mjs'],
  ] as const)('has what %s publishes retried by the rule of the policy file', async (_name, main, type) => {
    kafka.next.push({ code: 5 }, { code: 6 });
    const { reported, stderr } = await run(main.replace('BROKERS', JSON.stringify(kafka.brokers)), [RULE], type);
    expect(reported).toEqual([1]);
    expect(stderr).not.toContain('Retryscope');
    expect([kafka.publishes, kafka.written.map(({ value }) => value)]).toEqual([3, ['v']]);
  });

  it.each([
    ['no topic', `{ topic: '', messages: [{ value: 'v' }] }`],
    ['no messages', `{ topic: 'orders' }`],
    ['a message that is none', `{ topic: 'orders', messages: [null] }`],
  ])('refuses %s as it does without a rule', async (_what, record) => {
    const main = `
      import { Kafka, Partitioners } from 'kafkajs';
      const client = new Kafka({ brokers: ${JSON.stringify(kafka.brokers)}, logLevel: 0, retry: { retries: 0 } });
      const producer = client.producer({ retry: { retries: 0 }, createPartitioner: Partitioners.DefaultPartitioner });
      await producer.connect();
      let how = 'thrown';
      try {
        const sent = producer.send(${record});
        how = 'rejected';
        await sent;
      } catch (error) {
        report([how, error.name, error.message]);
      }
      await producer.disconnect();`;
    const { kind, policy } = RULE;
    const without = await run(main, []);
    const { reported } = await run(main, [{ kind, policy }]);
    expect(reported).toEqual(without.reported);
    expect(reported).toEqual([['rejected', expect.any(String), expect.any(String)]]);
  });

  it('is left alone without a rule for the topic', async () => {
    kafka.next.push({ code: 5 });
    const main = KAFKAJS(`import { Kafka, Partitioners } from 'kafkajs';`);
    const rule = { ...RULE, name: 'invoices' };
    const { reported } = await run(main.replace('BROKERS', JSON.stringify(kafka.brokers)), [rule]);
    expect([reported, kafka.publishes]).toEqual([['KafkaJSNumberOfRetriesExceeded'], 1]);
  });
});

describe('PostgreSQL', () => {
  let postgres: PostgresDouble;
  beforeEach(async () => {
    postgres = await startPostgresDouble();
  });
  afterEach(() => postgres.end());

  const RULE = { kind: 'database', host: '127.0.0.1', policy: QUICK };
  const pool = (load = `import pg from 'pg';`): string =>
    `${load} const pool = new pg.Pool({ host: '127.0.0.1', port: ${postgres.port}, user: 'u', password: 'p', database: 'd', ssl: false });`;
  const SHUT_DOWN = '57P03';

  it.each([
    ['imported', undefined, 'mjs'],
    ['required', `const pg = require('pg');`, 'cjs'],
  ] as const)(
    'has the statements of a pool of pg, %s, retried by the rule of the policy file',
    async (_how, load, type) => {
      postgres.next.push(SHUT_DOWN, SHUT_DOWN);
      const main = `${pool(load)} pool.query('SELECT 1 AS n').then(({ rows }) => { report(rows); return pool.end(); });`;
      const { reported, stderr } = await run(main, [RULE], type);
      expect([reported, stderr]).toEqual([[[{ n: '1' }]], '']);
      expect(postgres.statements).toEqual(Array(3).fill('SELECT 1 AS n'));
    },
  );

  it('has a statement retried by a rule that names it in capitals', async () => {
    postgres.next.push(SHUT_DOWN);
    const main = `${pool()} report((await pool.query('select 1 AS n')).rowCount); await pool.end();`;
    const { reported } = await run(main, [{ ...RULE, name: 'SELECT' }]);
    expect([reported, postgres.statements.length]).toEqual([[1], 2]);
  });

  it('has a statement retried that a tagged template has made', async () => {
    postgres.next.push(SHUT_DOWN);
    const main = `${pool()}
      class Statement { constructor(text) { this.strings = [text]; this.values = undefined; } get text() { return this.strings[0]; } }
      report((await pool.query(new Statement('SELECT 1 AS n'))).rows);
      await pool.end();`;
    const { reported } = await run(main, [RULE]);
    expect([reported, postgres.statements]).toEqual([[[{ n: '1' }]], Array(2).fill('SELECT 1 AS n')]);
  });

  it('is asked once where the rule allows one attempt', async () => {
    postgres.next.push(SHUT_DOWN);
    const main = `${pool()} await pool.query('SELECT 1').catch(error => report(error.code)); await pool.end();`;
    const { reported } = await run(main, [{ ...RULE, policy: { maxAttempts: 1 } }]);
    expect([reported, postgres.statements.length]).toEqual([[SHUT_DOWN], 1]);
  });

  it('sends a write once whose connection breaks before the answer', async () => {
    postgres.next.push('hang_up');
    const main = `${pool()} await pool.query("INSERT INTO t VALUES (1)").catch(() => report('failed')); await pool.end();`;
    const { reported } = await run(main, [RULE]);
    expect([reported, postgres.statements.length]).toEqual([['failed'], 1]);
  });

  it.each([
    ['a callback', `await new Promise(resolve => pool.query('SELECT 1', error => resolve(report(error.code))));`],
    [
      'a client',
      `const client = await pool.connect(); await client.query('SELECT 1').catch(error => report(error.code)); client.release();`,
    ],
  ])('is left alone with %s', async (_what, call) => {
    postgres.next.push(SHUT_DOWN);
    const { reported, stderr } = await run(`${pool()} ${call} await pool.end();`, [RULE]);
    expect([reported, stderr, postgres.statements.length]).toEqual([[SHUT_DOWN], '', 1]);
  });

  it('is left alone without a rule for the statement', async () => {
    postgres.next.push(SHUT_DOWN);
    const rule = { ...RULE, name: 'update' };
    const { reported } = await run(
      `${pool()} await pool.query('SELECT 1').catch(error => report(error.code)); await pool.end();`,
      [rule],
    );
    expect([reported, postgres.statements.length]).toEqual([[SHUT_DOWN], 1]);
  });

  it('is left alone by a rule that no database can follow, which is told', async () => {
    const rule = { ...RULE, policy: { hedge: 5 } };
    const { reported, stderr } = await run(
      `${pool()} report((await pool.query('SELECT 1')).rowCount); await pool.end();`,
      [rule],
    );
    expect(reported).toEqual([1]);
    expect(stderr).toContain('A rule of kind database is not applied: hedge is no option for databases');
  });
});
