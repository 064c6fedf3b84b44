import { existsSync, statSync } from 'node:fs';
import type { DeadLetterStore } from 'retryscope/dead-letters';
import { STORE_DEFAULTS as POSTGRES_DEFAULTS } from '../../src/recovery/dead-letters/postgres/store-options.ts';
import { UnavailableError } from '../unavailable-error.ts';
import { UsageError } from '../usage-error.ts';
import { loadClientLibrary } from './client-library.ts';
import { CONNECT_MS, connectRedis } from './connect-redis.ts';
import { guardStore, storeError } from './guard-store.ts';
import { type KafkaAddress, readKafkaAddress } from './kafka-address.ts';
import { type KafkaTopics, mustHaveTopic } from './kafka-topic.ts';
import { muteWarnings } from './mute-warnings.ts';
import { mustHaveTable, type PgTables } from './postgres-table.ts';
import { readStoreAddress, type StoreAddress } from './store-address.ts';

/** A store that is open, and what it is called in front of people. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: DeadLetterStore;
  readonly shown: string;
}

/** Which store, as the options of every command say it. */
export interface StoreOptions {
  /** Its address. It may hold a password. */
  readonly store: string;
  /** For PostgreSQL: the table, with its schema if it is not the usual one. */
  readonly table?: string;
  /** For Redis: what the keys begin with. */
  readonly prefix?: string;
}

/**
 * Opens the store that the options name. Its client library is the one of the user's project.
 *
 * @throws UsageError when the address is none or the client library is not installed; UnavailableError when there is no
 * such store
 */
export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const address = readStoreAddress(options.store);
  const { kind, shown } = address;
  if (options.table !== undefined && kind !== 'postgres') throw new UsageError('--table is for a store in PostgreSQL');
  if (options.prefix !== undefined && kind !== 'redis') throw new UsageError('--prefix is for a store in Redis');
  try {
    const { store, end } = await OPENERS[kind](address, options);
    return {
      store: guardStore(store, shown),
      shown,
      [Symbol.asyncDispose]: async () => {
        // The work is done, or its failure is being told already.
        await store.close().catch(() => undefined);
        await end().catch(() => undefined);
      },
    };
  } catch (error) {
    throw storeError(error, shown);
  }
}

interface Connection {
  readonly store: DeadLetterStore;
  /** Ends what the store was given and does not close by itself. */
  end(): Promise<void>;
}

type Opener = (address: StoreAddress, options: StoreOptions) => Promise<Connection>;

const OPENERS: Readonly<Record<StoreAddress['kind'], Opener>> = {
  sqlite: openSqlite,
  postgres: openPostgres,
  redis: openRedis,
  kafka: openKafka,
};

async function openSqlite({ target: file, shown }: StoreAddress): Promise<Connection> {
  // The store would make a new one.
  if (!existsSync(file)) throw new UnavailableError(`${shown}: there is no such file`);
  const found = statSync(file);
  if (!found.isFile()) throw new UnavailableError(`${shown} is no file`);
  if (found.size === 0) throw new UnavailableError(`${shown}: there is no store in this file, it is empty`);
  const { SqliteDeadLetterStore } = await import('retryscope/dead-letters/sqlite');
  // The space for a full disk is taken by those that write letters.
  const unmute = muteWarnings();
  try {
    return { store: new SqliteDeadLetterStore({ file, ballastBytes: 0 }), end: async () => undefined };
  } finally {
    unmute();
  }
}

async function openPostgres({ target, shown }: StoreAddress, { table }: StoreOptions): Promise<Connection> {
  const names = tableNames(table);
  const { library } = loadClientLibrary('postgres', ['pg']);
  const { Pool } = library as PgLibrary;
  const { PostgresDeadLetterStore } = await import('retryscope/dead-letters/postgres');
  const pool = new Pool({
    connectionString: target,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: CLIENT,
  });
  // Without a listener, a connection that breaks while it is idle would end the process; the next query tells of it.
  pool.on('error', () => undefined);
  try {
    const store = new PostgresDeadLetterStore({ pool, timeoutMs: OPERATION_MS, ...names });
    await mustHaveTable(pool, { ...names, timeoutMs: OPERATION_MS }, shown);
    return { store, end: () => pool.end() };
  } catch (error) {
    await pool.end().catch(() => undefined);
    throw error;
  }
}

/** The table of a store, and its schema. */
function tableNames(text: string = POSTGRES_DEFAULTS.table): { readonly table: string; readonly schema: string } {
  const [table = '', schema = POSTGRES_DEFAULTS.schema, ...more] = text.split('.').reverse();
  if (more.length > 0) throw new UsageError('--table must be table or schema.table');
  return { table, schema };
}

async function openRedis({ target }: StoreAddress, { prefix }: StoreOptions): Promise<Connection> {
  const { redis, end } = await connectRedis(target);
  const { RedisDeadLetterStore } = await import('retryscope/dead-letters/redis');
  const keyPrefix = prefix === undefined ? undefined : { keyPrefix: prefix };
  return { store: new RedisDeadLetterStore({ redis, timeoutMs: OPERATION_MS, ...keyPrefix }), end };
}

async function openKafka({ target, shown }: StoreAddress): Promise<Connection> {
  const { topic, config } = readKafkaAddress(target);
  const { library } = loadClientLibrary('kafka', ['kafkajs']);
  const { Kafka } = library as KafkaLibrary;
  const { KafkaDeadLetterStore, kafkajsLog } = await import('retryscope/dead-letters/kafka');
  // Its log would stand between the lines of the command; what matters comes as an error.
  const kafka = new Kafka({ ...config, clientId: CLIENT, connectionTimeout: CONNECT_MS, logLevel: NO_LOG });
  const log = kafkajsLog(kafka);
  const store = new KafkaDeadLetterStore({
    log,
    timeoutMs: OPERATION_MS,
    ...(topic === undefined ? undefined : { topic }),
  });
  const unmute = muteWarnings();
  try {
    await mustHaveTopic(kafka, store.topic, shown);
  } catch (error) {
    unmute();
    throw error;
  }
  return { store, end: async () => unmute() };
}

/** What is needed of pg. */
interface PgLibrary {
  readonly Pool: new (options: {
    readonly connectionString: string;
    readonly connectionTimeoutMillis: number;
    readonly application_name: string;
  }) => import('retryscope/dead-letters/postgres').PostgresPool &
    PgTables & {
      on(event: 'error', listener: () => void): unknown;
      end(): Promise<void>;
    };
}

/** What is needed of kafkajs. */
interface KafkaLibrary {
  readonly Kafka: new (
    config: KafkaAddress['config'] & {
      readonly clientId: string;
      readonly connectionTimeout: number;
      readonly logLevel: number;
    },
  ) => KafkaTopics & import('retryscope/dead-letters/kafka').KafkaJs;
}

const CLIENT = 'retryscope-dead-letters';
const NO_LOG = 0;
/** A person can wait longer than a call. */
const OPERATION_MS = 60_000;
