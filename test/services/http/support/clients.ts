import axios from 'axios';
import { fetch as npmFetch } from 'undici';
import {
  createRetryFetch,
  type FetchLike,
  type HttpRetryOptions,
  retryAxios,
  retryFetch,
} from '../../../../src/services/http/index.ts';
import { type GotWorker, startGotWorker } from './got-worker.ts';

/** A request in the words of no client. */
export interface TestRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Plain data only: for got they go to another process. */
  readonly options?: Pick<
    HttpRetryOptions,
    'maxAttempts' | 'maxDelay' | 'statuses' | 'methods' | 'propagate' | 'attemptTimeout' | 'operation'
  > & { readonly idempotencyKey?: 'generate' };
}

/** How a request ended, in the words of no client. */
export interface TestOutcome {
  readonly status?: number | undefined;
  readonly body?: string | undefined;
  /** Of the error that the client threw. */
  readonly error?: { readonly name: string; readonly code?: string | undefined } | undefined;
  readonly reason?: string | undefined;
}

/** A client that retries. */
export interface TestClient {
  readonly name: string;
  send(request: TestRequest): Promise<TestOutcome>;
}

/** Every client that there is a policy for. The one of got works in a process of its own, since jest cannot load it. */
export const CLIENTS: readonly TestClient[] = [
  { name: 'fetch', send: request => viaFetch(request, undefined) },
  { name: "undici's fetch", send: request => viaFetch(request, npmFetch) },
  { name: 'axios', send: viaAxios },
  {
    name: 'got',
    send: async request => {
      worker ??= await startGotWorker();
      return worker.send(request);
    },
  },
];

let worker: GotWorker | undefined;

/** Ends what the clients have started. */
export async function endClients(): Promise<void> {
  await worker?.end();
  worker = undefined;
}

const QUICK = { initialDelay: 1, budget: 'none' } as const;

async function viaFetch(
  { url, method = 'GET', headers, body, options }: TestRequest,
  fetch: FetchLike | undefined,
): Promise<TestOutcome> {
  const init = { method, ...(headers && { headers }), ...(body !== undefined && { body }) };
  try {
    const response =
      fetch === undefined
        ? await retryFetch(url, init, { ...QUICK, ...options })
        : await createRetryFetch({ ...QUICK, ...options, fetch: fetch as typeof globalThis.fetch })(url, init);
    return { status: response.status, body: await response.text() };
  } catch (error) {
    return { error: { name: (error as Error).name } };
  }
}

async function viaAxios({ url, method = 'GET', headers, body, options }: TestRequest): Promise<TestOutcome> {
  const instance = retryAxios(axios.create(), { ...QUICK, ...options });
  try {
    const { status, data } = await instance.request({
      url,
      method,
      headers: headers ?? {},
      ...(body !== undefined && { data: body }),
    });
    return { status, body: data };
  } catch (error) {
    const { name, code, response } = error as {
      name: string;
      code?: string;
      response?: { status: number; data: string };
    };
    return { status: response?.status, body: response?.data, error: { name, code } };
  }
}
