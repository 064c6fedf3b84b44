import { describeWithRedis } from '../redis/support/needs-redis.ts';
import { type OwnCluster, startCluster } from '../redis/support/redis-cluster.ts';
import { type OwnRedis, startRedis } from '../redis/support/redis-server.ts';
import { until } from '../redis/support/until.ts';
import { type AppRun, packageFolder, runApp, sdk } from '../register/support/run-app.ts';
import { describeWithProgram } from '../support/needs-program.ts';
import { hasKcat, type KafkaBroker, type KafkaProcess, startKafkaMock } from './kafka-mock.ts';
import { hasPostgres, type OwnPostgres, startPostgres } from './postgres.ts';

// What retryscope/register does to clients, with real servers and processes, on machines that may be busy.
jest.setTimeout(180_000);
beforeAll(packageFolder, 60_000);

/** An app whose call fails until the server is mended. */
interface Story {
  /** Connects the client. */
  readonly connect: string;
  /** What is retried. */
  readonly call: string;
  readonly rule: object;
  spoil(): Promise<unknown>;
  mend(): unknown;
}

/** Tells what the call brought, and of the attempts how many there were and how many failed. */
async function run({ connect, call, rule, spoil, mend }: Story): Promise<AppRun> {
  const policy = { maxAttempts: 1000, initialDelay: 10, maxDelay: 20, budget: 'plenty' };
  const budgets = { plenty: { capacity: 1000 } };
  return await runApp({
    files: { 'retryscope.config.json': JSON.stringify({ budgets, services: [{ ...rule, policy }] }) },
    main: `${sdk('import')}
      startSdk();
      ${connect}
      exporter.reset();
      const attempts = () => spans().filter(([name]) => name.startsWith('attempt ')).map(([name]) => name);
      process.once('SIGUSR2', async () => {
        const timer = setInterval(() => {
          if (attempts().length === 0) return;
          clearInterval(timer);
          report('failed');
        }, 5);
        report(await ${call});
        report([attempts().length > 1, ...new Set(attempts())]);
        process.exit();
      });
      setInterval(() => undefined, 1000);
      report('connected');`,
    onReport: async (value, app) => {
      if (value === 'connected') {
        await spoil();
        app.kill('SIGUSR2');
      }
      if (value === 'failed') await mend();
    },
  });
}

/** As long as a script runs, the server answers everything else with BUSY. */
async function makeBusy({ admin }: OwnRedis): Promise<void> {
  await admin.config('SET', 'busy-reply-threshold', 1);
  const endless = admin.duplicate({ maxRetriesPerRequest: 0, retryStrategy: () => null });
  endless.on('error', () => undefined);
  void endless.eval('while true do end', 0).then(undefined, () => endless.disconnect());
  await until(() =>
    admin.get('any').then(
      () => false,
      (error: Error) => error.message.startsWith('BUSY'),
    ),
  );
}

describeWithRedis('a command of Redis', () => {
  let redis: OwnRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.end());

  it.each<[name: string, connect: () => string]>([
    [
      'ioredis',
      () => `import Redis from 'ioredis';
        const client = new Redis(${redis.port}, '127.0.0.1');
        await client.set('key', 'value');`,
    ],
    [
      'redis',
      () => `import { createClient } from 'redis';
        const client = await createClient({ url: '${redis.url}' }).connect();
        await client.set('key', 'value');`,
    ],
  ])('is retried by its rule while the server is busy, by %s', async (_name, connect) => {
    const { reported, stderr } = await run({
      connect: connect(),
      call: `client.get('key')`,
      rule: { kind: 'redis', host: '127.0.0.1', name: 'GET' },
      spoil: () => makeBusy(redis),
      mend: () => redis.admin.script('KILL'),
    });
    expect(reported).toEqual(['connected', 'failed', 'value', [true, 'attempt redis_get']]);
    expect(stderr).toBe('');
  });
});

describeWithRedis('a command of a cluster of Redis, by ioredis', () => {
  let cluster: OwnCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.end());

  const connect = (nodeOf = (port: unknown) => `{ host: '127.0.0.1', port: ${port} }`): string => `
    import { Cluster } from 'ioredis';
    const client = new Cluster([${nodeOf(cluster.nodes[0]?.port)}]);
    client.on('error', () => undefined);
    await client.set('key', 'value');`;

  it.each<[form: string, nodeOf: ((port: unknown) => string) | undefined]>([
    ['its options', undefined],
    ['its address', port => `'127.0.0.1:${port}'`],
    ['its URL', port => `'redis://127.0.0.1:${port}'`],
    ['its port', port => `${port}`],
  ])('is retried by its rule while a node is busy, where the cluster is given %s', async (_form, nodeOf) => {
    const node = await cluster.masterOf('key');
    const { reported, stderr } = await run({
      connect: connect(nodeOf),
      call: `client.get('key')`,
      rule: { kind: 'redis', host: `127.0.0.1:${cluster.nodes[0]?.port}`, name: 'GET' },
      spoil: () => makeBusy(node),
      mend: () => node.admin.script('KILL'),
    });
    expect(reported).toEqual(['connected', 'failed', 'value', [true, 'attempt redis_get']]);
    expect(stderr).toBe('');
  });

  it('is refused as it is without a rule, and what the app catches is nobody else’s', async () => {
    const main = `${connect()}
      const told = promise => promise.then(report, error => report(error.message));
      await told(client.lpush('key', 'x'));
      await told(client.get('key'));
      await told(client.pipeline().lpush('key', 'x').get('key').exec().then(all => all.map(([error, value]) => error?.message ?? value)));
      await told(new Promise(resolve => client.lpush('key', 'x', error => resolve(error.message))));
      await told(client.nodes('master')[0].config('GET', 'port').then(([name]) => name));
      // Whatever nobody has caught would end the process now.
      await new Promise(resolve => setImmediate(resolve));
      report('alive');
      process.exit();`;
    const services = [{ kind: 'redis', policy: { maxAttempts: 3, initialDelay: 1 } }];
    const without = await runApp({ main });
    const { reported, stderr, code } = await runApp({
      main,
      files: { 'retryscope.config.json': JSON.stringify({ services }) },
    });
    const wrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value';
    expect(reported).toEqual([wrongType, 'value', [wrongType, 'value'], wrongType, 'port', 'alive']);
    expect([reported, stderr, code]).toEqual([without.reported, '', 0]);
  });

  it('finds its node in one attempt, also where the client has it wrong', async () => {
    const { port } = await cluster.masterOf('key');
    const main = `${sdk('import')}
      import calculateSlot from 'cluster-key-slot';
      ${connect()}
      const other = client.nodes('master').find(({ options }) => options.port !== ${port});
      const slot = calculateSlot('key');
      client.slots[slot] = ['127.0.0.1:' + other.options.port];
      startSdk();
      report(await client.get('key'));
      report(client.slots[slot][0]);
      report(spans().map(([name]) => name));
      process.exit();`;
    const services = [{ kind: 'redis', policy: { maxAttempts: 3, initialDelay: 1 } }];
    const { reported } = await runApp({ main, files: { 'retryscope.config.json': JSON.stringify({ services }) } });
    expect(reported).toEqual(['value', `127.0.0.1:${port}`, ['attempt redis_get', 'retry redis_get']]);
  });
});

describeWithProgram(
  { name: 'PostgreSQL', debianPackage: 'postgresql', isThere: hasPostgres() },
  'a statement of a pool of pg',
  () => {
    let postgres: OwnPostgres;
    beforeAll(async () => {
      postgres = await startPostgres();
    });
    afterAll(() => postgres?.end());

    it('is retried by its rule until the server is up again', async () => {
      const { reported, stderr } = await run({
        connect: `
          import pg from 'pg';
          const pool = new pg.Pool({ connectionString: '${postgres.url}' });
          pool.on('error', () => undefined);
          await pool.query('SELECT 1');`,
        call: `pool.query('SELECT count(*)::int AS n FROM pg_database WHERE datname = $1', ['postgres']).then(({ rows }) => rows)`,
        rule: { kind: 'database', host: `127.0.0.1:${postgres.port}`, name: 'SELECT' },
        spoil: () => postgres.stop(),
        mend: () => postgres.start(),
      });
      expect(reported).toEqual(['connected', 'failed', [{ n: 1 }], [true, 'attempt database_query']]);
      expect(stderr).toBe('');
    });
  },
);

describeWithProgram(
  { name: 'kcat', debianPackage: 'kcat', isThere: hasKcat },
  'a publish of Kafka (a mock cluster by kcat)',
  () => {
    let broker: KafkaBroker & { readonly process: KafkaProcess };
    beforeEach(async () => {
      broker = await startKafkaMock();
    });
    afterEach(() => broker?.end());

    it.each<[name: string, connect: (brokers: string) => string, call: string]>([
      [
        'kafkajs',
        brokers => `import { Kafka, Partitioners } from 'kafkajs';
          const retry = { retries: 0 };
          const client = new Kafka({ brokers: ${brokers}, logLevel: 0, requestTimeout: 500, retry });
          const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner, retry });
          await producer.connect();`,
        `producer.send({ topic: 'orders', messages: [{ key: 'k', value: 'v' }] }).then(all => all.length)`,
      ],
      [
        '@platformatic/kafka',
        brokers => `import { Producer, stringSerializers } from '@platformatic/kafka';
          const producer = new Producer({ clientId: 'x', bootstrapBrokers: ${brokers}, serializers: stringSerializers,
            retries: 0, requestTimeout: 500, connectTimeout: 500, autocreateTopics: true });
          await producer.metadata({ topics: ['orders'] });`,
        `producer.send({ messages: [{ topic: 'orders', key: 'k', value: 'v' }] }).then(() => 1)`,
      ],
    ])('is retried by its rule until the broker answers again, by %s', async (_name, connect, call) => {
      const { reported } = await run({
        connect: connect(JSON.stringify(broker.brokers)),
        call,
        rule: { kind: 'kafka', name: 'orders', operation: 'publish_order' },
        spoil: () => broker.process.hang(),
        mend: () => broker.process.goOn(),
      });
      expect(reported).toEqual(['connected', 'failed', 1, [true, 'attempt publish_order']]);
    });
  },
);
