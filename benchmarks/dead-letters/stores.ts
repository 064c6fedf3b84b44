import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { Pool } from 'pg';
import { type DeadLetterStore, MemoryDeadLetterStore } from 'retryscope/dead-letters';
import { KafkaDeadLetterStore, kafkajsLog } from 'retryscope/dead-letters/kafka';
import { PostgresDeadLetterStore } from 'retryscope/dead-letters/postgres';
import { RedisDeadLetterStore } from 'retryscope/dead-letters/redis';
import { SqliteDeadLetterStore } from 'retryscope/dead-letters/sqlite';
import { answerOf } from '../answer-of.ts';
import { startKafka, startPostgres, startRedis } from './servers.ts';

/** A store, and the least that has to be done to keep a text as durably as it does, in the same place. */
export interface Bench {
  /** The store. */
  readonly name: string;
  readonly store: DeadLetterStore;
  /** What is done, in a few words. */
  readonly yardstick: string;
  keep(id: string, text: string): unknown;
  /** The store and whatever is behind it. */
  end(): Promise<void>;
}

/** How many calls wait for a store at the same time. */
export const AT_ONCE = 16;

/** Opens one store after another. Undefined where a program is missing, which is told in one line. */
export const benches: readonly (() => Promise<Bench | undefined>)[] = [
  openMemory,
  openSqlite,
  openPostgres,
  openRedis,
  openKafka,
];

async function openMemory(): Promise<Bench> {
  const store = new MemoryDeadLetterStore();
  const texts = new Map<string, unknown>();
  return {
    name: 'memory',
    store,
    yardstick: 'JSON.parse and a Map',
    keep: (id, text) => texts.set(id, JSON.parse(text)),
    end: () => store.close(),
  };
}

async function openSqlite(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'sqlite-bench-'));
  const store = new SqliteDeadLetterStore({ file: join(folder, 'dead-letters.db') });
  const file = openSync(join(folder, 'plain'), 'a');
  return {
    name: 'SQLite',
    store,
    yardstick: 'append to a file, fsync',
    keep: (_, text) => {
      writeSync(file, text);
      fsyncSync(file);
    },
    end: async () => {
      await store.close();
      closeSync(file);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function openPostgres(): Promise<Bench | undefined> {
  const server = await startPostgres();
  if (server === undefined) return leaveOut('PostgreSQL', 'initdb', 'postgresql');
  const pool = new Pool({ host: '127.0.0.1', port: server.port, user: 'bench', database: 'postgres', max: AT_ONCE });
  pool.on('error', () => undefined);
  await answerOf(() => pool.query('CREATE TABLE yardstick (id text PRIMARY KEY, letter text NOT NULL)'));
  const store = new PostgresDeadLetterStore({ pool });
  await store.migrate();
  return {
    name: 'PostgreSQL',
    store,
    yardstick: 'INSERT by pg',
    keep: (id, text) => pool.query('INSERT INTO yardstick VALUES ($1, $2)', [id, text]),
    end: async () => {
      await store.close();
      await pool.end();
      await server.end();
    },
  };
}

async function openRedis(): Promise<Bench | undefined> {
  const server = await startRedis();
  if (server === undefined) return leaveOut('Redis', 'redis-server', 'redis-server');
  const redis = new Redis({ port: server.port, host: '127.0.0.1', retryStrategy: () => 20 });
  redis.on('error', () => undefined);
  // By itself ioredis waits less than half a second for a server.
  await answerOf(() => redis.ping());
  const store = new RedisDeadLetterStore({ redis });
  return {
    name: 'Redis',
    store,
    yardstick: 'XADD by ioredis',
    keep: (id, text) => redis.xadd('yardstick', '*', 'id', id, 'letter', text),
    end: async () => {
      await store.close();
      redis.disconnect();
      await server.end();
    },
  };
}

async function openKafka(): Promise<Bench | undefined> {
  const server = await startKafka();
  if (server === undefined) return leaveOut('Kafka', 'kcat', 'kcat');
  const kafka = new Kafka({ brokers: [`127.0.0.1:${server.port}`], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  // The mock cluster holds an answer back even when something comes in meanwhile.
  const log = kafkajsLog(kafka, { maxWaitMs: 2, allowAutoTopicCreation: true });
  const store = new KafkaDeadLetterStore({ log });
  // Reading begins with a consumer group, which takes a moment.
  await answerOf(() => store.stats());
  return {
    name: 'Kafka (mock)',
    store,
    yardstick: 'send by kafkajs, acks=all',
    keep: (id, text) => producer.send({ topic: 'yardstick', acks: -1, messages: [{ key: id, value: text }] }),
    end: async () => {
      await store.close();
      await producer.disconnect();
      await server.end();
    },
  };
}

function leaveOut(name: string, program: string, debianPackage: string): undefined {
  console.log(`(dead-letters: ${name} is left out, for there is no ${program}; Debian's package: ${debianPackage})`);
}
