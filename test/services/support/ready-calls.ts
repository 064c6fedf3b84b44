import { status as Status } from '@grpc/grpc-js';
import axios from 'axios';
import { asyncRetry } from '../../../instrumentation/libraries/async-retry.ts';
import { callInfo } from '../../../instrumentation/libraries/call-info.ts';
import { exponentialBackoff } from '../../../instrumentation/libraries/exponential-backoff.ts';
import { ForeignCall } from '../../../instrumentation/libraries/foreign-call.ts';
import { retry, retrySync } from '../../../src/core.ts';
import {
  DeadLetterQueue,
  defineOperation,
  MemoryDeadLetterStore,
  OperationRegistry,
  redrive,
} from '../../../src/recovery/dead-letters/index.ts';
import { checkDatabase, retryQuery, retryTransaction } from '../../../src/services/database/index.ts';
import { retryFile, retryFileSync } from '../../../src/services/files/index.ts';
import { grpcRetryInterceptor } from '../../../src/services/grpc/index.ts';
import { createRetryFetch, type GotLike, retryAxios, retryGot } from '../../../src/services/http/index.ts';
import { deadLetterTo, publishEvent, retryMessage } from '../../../src/services/kafka/index.ts';
import { retryCommand, retryRedis } from '../../../src/services/redis/index.ts';
import type { FakeClock } from '../../../src/testing/index.ts';
import { storeWith } from '../../dead-letters/support/store-with.ts';
import { settle } from '../../support/settle.ts';
import { PoolDouble } from '../database/pool-double.ts';
import { connect, type EchoServer } from '../grpc/echo-server.ts';
import { ProducerDouble } from '../kafka/support/doubles.ts';
import type { AllSinks } from './all-sinks.ts';
import { headerOf, type SecretShape } from './secret-shapes.ts';

/** What one call is made with. */
export interface CallMaterial {
  readonly error: unknown;
  readonly shape: SecretShape;
  readonly sinks: AllSinks;
  readonly grpc: EchoServer;
  readonly clock: FakeClock;
}

/**
 * One call through each ready policy, and through an operation with dead letters; each fails twice with the error. Where
 * a call has a URL, headers, parameters or arguments of its own, the secret is in them as well.
 */
export const READY_CALLS: Readonly<Record<string, (material: CallMaterial) => Promise<unknown>>> = {
  retry: ({ error, clock }) => settle(clock, retry(failing(error), { ...PLAIN, clock, operation: 'plain' })),
  retrySync: async ({ error, clock }) =>
    outcome(() => retrySync(throwing(error), { ...PLAIN, clock, operation: 'sync' })),
  fetch: ({ error, shape, clock }) => {
    const send = createRetryFetch({ ...ALWAYS, clock, fetch: failing(error) });
    return settle(clock, send(urlOf(shape), { method: 'PUT', headers: headersOf(shape), body: shape.text }));
  },
  'fetch, bad answer': ({ shape, clock }) => {
    const text = shape.text.replaceAll('\n', ' ');
    const headers = { 'set-cookie': text, 'x-said': text };
    const fetch = async (): Promise<Response> => new Response(shape.text, { status: 503, headers });
    const send = createRetryFetch({ ...ALWAYS, clock, fetch, onHttpError: 'throw' });
    return settle(clock, send(urlOf(shape), { headers: headersOf(shape) }));
  },
  axios: ({ error, shape, clock }) => {
    const instance = retryAxios(axios.create({ adapter: failing(error) }), { ...ALWAYS, clock });
    return settle(clock, instance.put(urlOf(shape), shape.text, { headers: headersOf(shape) }));
  },
  got: ({ error, shape, clock }) => {
    const send = retryGot(gotThat(failing(error), shape), { ...ALWAYS, clock });
    return settle(clock, Promise.resolve(send(undefined, {} as never, {} as never)));
  },
  query: ({ error, shape, clock }) => {
    const pool = new PoolDouble({ query: failing(error) });
    return settle(clock, retryQuery(pool, 'SELECT $1', [shape.text, shape.secret], { ...ALWAYS, clock }));
  },
  transaction: ({ error, shape, clock }) => {
    const pool = new PoolDouble({ query: text => (text === 'INSERT' ? failing(error)() : undefined) });
    const insert = (client: PoolDouble['client']) => client.query('INSERT', [shape.text]);
    return settle(clock, retryTransaction(pool, insert, { ...ALWAYS, clock }));
  },
  'health check': ({ error, clock }) =>
    settle(clock, checkDatabase(new PoolDouble({ connect: failing(error) }), { ...ALWAYS, clock })),
  publish: ({ error, shape, clock }) => {
    const event = { topic: 'orders', key: shape.secret, value: shape.text, headers: { note: shape.text } };
    return settle(clock, publishEvent({ send: failing(error) }, event, { ...ALWAYS, clock }));
  },
  'consume, and dead-letter': async ({ error, sinks, clock }) => {
    const producer = new ProducerDouble();
    const options = { ...ALWAYS, clock, deadLetter: deadLetterTo(producer, { publish: { ...ALWAYS, clock } }) };
    const message = { key: 'k', value: 'v', headers: {}, offset: '1', timestamp: '1700000000000' };
    await settle(clock, retryMessage(failing(error), options)({ topic: 'orders', partition: 0, message } as never));
    for (const request of producer.requests) sinks.add('letters of Kafka', textOf(request));
  },
  redis: ({ error, clock }) => settle(clock, retryRedis(failing(error), { ...ALWAYS, clock })),
  'redis command': ({ error, shape, clock }) =>
    settle(clock, retryCommand(failing(error), ['SET', shape.secret, shape.text], { ...ALWAYS, clock })),
  file: ({ error, clock }) => settle(clock, retryFile(failing(error), { ...ALWAYS, clock })),
  'file, at once': async ({ error, clock }) => outcome(() => retryFileSync(throwing(error), { ...ALWAYS, clock })),
  grpc: async ({ error, shape, grpc }) => {
    grpc.answer = () => ({ code: Status.UNAVAILABLE, details: String((error as Error).message) });
    const quick = { maxAttempts: 2, initialDelay: 1, maxDelay: 1, methods: 'all', budget: 'none' } as const;
    const client = connect(grpc.port, { interceptors: [grpcRetryInterceptor(quick)] });
    await new Promise<void>(resolve => client.get(Buffer.from(shape.text), () => resolve()));
    client.close();
  },
  operation: async ({ error, shape, sinks, clock }) => {
    const store = new MemoryDeadLetterStore({ clock });
    const queue = new DeadLetterQueue({ name: 'planted', store, clock });
    const registry = new OperationRegistry();
    await settle(clock, operationOf(error, shape, queue, clock, registry).with(SOURCE)(argsOf(shape), shape.text));
    sinks.add('letters in the store', JSON.stringify((await store.list()).letters));
    await settle(clock, redrive(queue, { registry }));
    const { letters } = await store.list();
    if (letters[0]?.redrives !== 1) throw new Error(`the letter was not redriven: ${JSON.stringify(letters)}`);
    sinks.add('letters in the store', JSON.stringify(letters));
  },
  'operation whose store fails': async ({ error, shape, sinks, clock }) => {
    const store = storeWith(new MemoryDeadLetterStore({ clock }), { put: failing(error) });
    const lastResort = (line: string): void => sinks.add('line of last resort', line);
    const queue = new DeadLetterQueue({ name: 'failing', store, clock, lastResort, ringSize: 0 });
    const registry = new OperationRegistry();
    await settle(clock, operationOf(error, shape, queue, clock, registry).with(SOURCE)(argsOf(shape), shape.text));
  },
  'call of another library': async ({ error }) => {
    const call = new ForeignCall(callInfo('foreign', 2));
    for (let attempt = 1; attempt <= 2; attempt++) {
      await outcome(() => call.attempt(failing(error)));
      if (attempt === 1) call.retrying(0);
    }
    call.giveUp('attempts_exhausted', error);
  },
  'async-retry': ({ error }) => outcome(() => withAsyncRetry(failing(error), { retries: 1, minTimeout: 1, factor: 1 })),
  'exponential-backoff': ({ error }) => outcome(() => backOff(failing(error), { numOfAttempts: 2, startingDelay: 1 })),
};

const PLAIN = { retryOn: () => true, maxAttempts: 2, initialDelay: 1, jitter: false } as const;
const ALWAYS = { ...PLAIN, budget: 'none' } as const;
const SOURCE = { source: { topic: 'orders', partition: 0, offset: '1' } };

type Patched = (fn: () => Promise<never>, options: object) => Promise<unknown>;
const withAsyncRetry = asyncRetry.patch(require('async-retry')) as Patched;
const { backOff } = exponentialBackoff.patch({ ...require('exponential-backoff') }) as { readonly backOff: Patched };

function failing(error: unknown): () => Promise<never> {
  return async function fails() {
    throw error;
  };
}

function throwing(error: unknown): () => never {
  return () => {
    throw error;
  };
}

async function outcome(work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    return error;
  }
}

function urlOf({ secret, text }: SecretShape): string {
  const path = encodeURIComponent(secret);
  return `https://svc:${path}@api.example.com/hooks/${path}?note=${encodeURIComponent(text)}#${path}`;
}

function headersOf(shape: SecretShape): Record<string, string> {
  const [name, value] = headerOf(shape);
  return { [name]: value };
}

/** Arguments as people pass them: the secret in its own place, in texts, and under names that tell. */
function argsOf(shape: SecretShape): object {
  const [name, value] = headerOf(shape);
  return {
    id: 'order-7',
    url: `https://svc:${encodeURIComponent(shape.secret)}@api.example.com/`,
    headers: { [name]: value },
    lines: [shape.text, { deep: { note: `said: ${shape.text}` } }],
    password: shape.secret,
    apiToken: { value: shape.secret },
  };
}

function operationOf(
  error: unknown,
  shape: SecretShape,
  deadLetter: DeadLetterQueue,
  clock: FakeClock,
  registry: OperationRegistry,
): ReturnType<typeof defineOperation<unknown[], never>> {
  return defineOperation('planted', (..._args: unknown[]) => failing(error)(), {
    ...PLAIN,
    clock,
    registry,
    deadLetter,
    idempotencyKey: () => `order 7, ${shape.text}`,
    restore: (stored: readonly unknown[] | undefined) => [...(stored ?? [])],
  } as never);
}

/** As much of got as the policy asks for: a handler that is called with options, and again for each retry. */
function gotThat(send: () => Promise<never>, shape: SecretShape): GotLike {
  class Options {
    url = new URL(urlOf(shape));
    method = 'GET';
    headers = headersOf(shape);
    isStream = false;
    resolveBodyOnly = false;
    retry = {};
  }
  const extend = ({ handlers: [handle] }: { handlers: [(options: unknown, next: unknown) => Promise<unknown>] }) =>
    Object.assign(() => handle(new Options(), send), { extend, defaults: { handlers: [handle] } });
  return Object.assign(send, { extend, defaults: { handlers: [] } });
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    const bytes = (each as { type?: unknown; data?: number[] } | null)?.type === 'Buffer';
    return bytes ? Buffer.from((each as { data: number[] }).data).toString('latin1') : each;
  });
}
