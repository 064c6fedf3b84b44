import { Agent } from 'node:http';
import { trace } from '@opentelemetry/api';
import { type FlakyServer, startFlakyServer } from '../support/flaky-server.ts';
import type { Note, Subject } from '../support/scenario.ts';

interface Response {
  readonly status: number;
  readonly data: unknown;
  readonly config: Record<string, unknown>;
}

interface Instance {
  (config: Record<string, unknown>): Promise<Response>;
  get(url: string, config?: Record<string, unknown>): Promise<Response>;
  post(url: string, data: unknown, config?: Record<string, unknown>): Promise<Response>;
  create(config?: Record<string, unknown>): Instance;
  readonly defaults: { readonly adapter: unknown };
  readonly interceptors: {
    readonly request: { use(handler: unknown): number };
    readonly response: { use(value: unknown, error?: unknown): number };
  };
  readonly getAdapter: (adapter: unknown) => (config: unknown) => Promise<unknown>;
}

interface Loaded {
  readonly axios: Instance;
  readonly axiosRetry: ((instance: unknown, options?: Record<string, unknown>) => unknown) & Record<string, unknown>;
  readonly server: FlakyServer;
}

const quick = (note: Note, retries = 2) => ({
  retries,
  retryDelay: (count: number) => count * 4,
  onRetry: (count: number, error: { message: string }) => note('onRetry', count, error.message),
  onMaxRetryTimesExceeded: (_error: unknown, count: number) => note('onMaxRetryTimesExceeded', count),
});

/** Has each request seen as a span, as an instrumentation of `node:http` does. */
function traced({ axios }: Loaded, options: Record<string, unknown> = {}): Instance {
  const send = axios.getAdapter('http');
  return axios.create({
    adapter: (config: unknown) => {
      trace.getTracer('user').startSpan('GET').end();
      return send(config);
    },
    ...options,
  });
}

async function dataOf(answer: Promise<Response>, note: Note): Promise<unknown> {
  const { status, data, config } = await answer;
  const state = config['axios-retry'] as { retryCount: number } | undefined;
  note('answer', status, state?.retryCount, typeof config.adapter);
  return data;
}

async function errorOf(answer: Promise<Response>, note: Note): Promise<void> {
  try {
    await answer;
  } catch (error) {
    const { name, message, code, config } = error as Error & { code: string; config?: Record<string, unknown> };
    const state = config?.['axios-retry'] as { retryCount: number } | undefined;
    note(
      'error',
      name,
      message,
      code,
      state?.retryCount,
      Array.isArray(config?.adapter) ? 'names' : typeof config?.adapter,
    );
  }
}

export const subject: Subject<Loaded> = {
  load: async ({ load }) => {
    const axios = (await load('axios')) as { default?: Instance } & Instance;
    const exports = (await load('axios-retry')) as { default?: unknown };
    const given = typeof exports === 'function' ? exports : exports.default;
    // A CommonJS package that is imported hangs one level deeper.
    const axiosRetry = (
      typeof given === 'function' ? given : (given as typeof exports).default
    ) as Loaded['axiosRetry'];
    return { axios: axios.default ?? axios, axiosRetry, server: await startFlakyServer('{"rate":1.1}') };
  },
  scenarios: {
    shape: ({ axios, axiosRetry }, note) => {
      note('axiosRetry', axiosRetry, Object.keys(axiosRetry).sort());
      note('installed', axiosRetry(axios.create()));
    },
    'succeeds at once': ({ axios, axiosRetry, server }, note) => {
      const client = axios.create();
      axiosRetry(client, quick(note));
      return dataOf(client.get(server.url), note);
    },
    'succeeds after retries': (loaded, note) => {
      const client = traced(loaded);
      loaded.axiosRetry(client, quick(note));
      loaded.server.fail(2);
      return dataOf(client.get(loaded.server.url), note);
    },
    'exhausts its attempts': ({ axios, axiosRetry, server }, note) => {
      const client = axios.create();
      axiosRetry(client, quick(note));
      server.fail(9);
      return errorOf(client.get(server.url), note);
    },
    'meets a cut connection': ({ axios, axiosRetry, server }, note) => {
      const client = axios.create({ baseURL: `http://${server.host}` });
      axiosRetry(client, quick(note));
      server.fail(1, { cut: 'before' });
      return dataOf(client({ url: '/path' }), note);
    },
    'has an error that is not retried': ({ axios, axiosRetry, server }, note) => {
      const client = axios.create();
      axiosRetry(client, quick(note));
      server.fail(9, { status: 404 });
      return errorOf(client.get(server.url), note);
    },
    'does not retry a POST': ({ axios, axiosRetry, server }, note) => {
      const client = axios.create();
      axiosRetry(client, quick(note));
      server.fail(9);
      return errorOf(client.post(server.url, { a: 1 }), note);
    },
    'has a slow condition': ({ axios, axiosRetry, server }, note) => {
      const client = axios.create();
      let asked = 0;
      axiosRetry(client, { ...quick(note), retryCondition: () => Promise.resolve(++asked < 2) });
      server.fail(9);
      return errorOf(client.get(server.url), note);
    },
    'accepts an answer': ({ axios, axiosRetry, server }, note) => {
      const client = axios.create();
      axiosRetry(client, { ...quick(note), validateResponse: ({ status }: Response) => status < 400 });
      server.fail(1);
      return dataOf(client.get(server.url), note);
    },
    'is the default instance': ({ axios, axiosRetry, server }, note) => {
      const client = axios.create();
      axiosRetry(client, quick(note));
      server.fail(1);
      return dataOf(client.get(server.url, { 'axios-retry': { retries: 1 } }), note);
    },
    'has other interceptors': ({ axios, axiosRetry, server }, note) => {
      const client = axios.create();
      client.interceptors.request.use((config: unknown) => {
        note('early request');
        return config;
      });
      axiosRetry(client, quick(note));
      client.interceptors.request.use((config: unknown) => {
        note('late request');
        return config;
      });
      client.interceptors.response.use((response: Response) => {
        note('response', response.status);
        return response;
      });
      server.fail(1);
      return dataOf(client.get(server.url), note);
    },
    'has an interceptor that throws': ({ axios, axiosRetry, server }, note) => {
      const client = axios.create();
      client.interceptors.request.use(() => {
        throw new Error('no token');
      });
      axiosRetry(client, quick(note));
      return errorOf(client.get(server.url), note);
    },
    'has an interceptor that takes the failure': async ({ axios, axiosRetry, server }, note) => {
      // A socket that is kept for later keeps what was sent over it.
      const client = axios.create({ httpAgent: new Agent({ keepAlive: false }) });
      client.interceptors.response.use(undefined, () => Promise.reject(new Error('another')));
      axiosRetry(client, quick(note));
      server.fail(9);
      await errorOf(client.get(server.url), note);
      // Only the collector learns that nobody will retry this one.
      for (let i = 0; i < 20; i++) {
        global.gc?.();
        await new Promise(resolve => setTimeout(resolve, 5));
      }
    },
    'is aborted while it waits': ({ axios, axiosRetry, server }, note) => {
      const client = axios.create();
      const controller = new AbortController();
      // It is aborted when the wait has begun, however long the answer before it took.
      const retryDelay = (): number => {
        setTimeout(() => controller.abort(), 30);
        return 5000;
      };
      axiosRetry(client, { ...quick(note), retryDelay });
      server.fail(9);
      return errorOf(client.get(server.url, { signal: controller.signal }), note);
    },
    'runs out of time': ({ axios, axiosRetry, server }, note) => {
      const client = axios.create();
      axiosRetry(client, { ...quick(note), retryDelay: () => 60_000 });
      server.fail(9);
      return errorOf(client.get(server.url, { timeout: 50_000 }), note);
    },
    'may not retry': ({ axios, axiosRetry, server }, note) => {
      const client = axios.create();
      axiosRetry(client, quick(note, 0));
      server.fail(1);
      return errorOf(client.get(server.url), note);
    },
    'sends a failed request again by hand': async ({ axios, axiosRetry, server }, note) => {
      const client = axios.create();
      axiosRetry(client, quick(note, 1));
      server.fail(2);
      const error = (await client.get(server.url).catch((each: unknown) => each)) as {
        config: Record<string, unknown>;
      };
      return dataOf(axios(error.config), note);
    },
    'has no instance': ({ axiosRetry }) => axiosRetry({}),
  },
};
