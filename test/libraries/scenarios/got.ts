import http from 'node:http';
import { trace } from '@opentelemetry/api';
import { type FlakyServer, startFlakyServer } from '../support/flaky-server.ts';
import type { Note, Subject } from '../support/scenario.ts';

interface Got {
  (
    url: string,
    options?: Record<string, unknown>,
  ): Promise<{ readonly statusCode: number; readonly body: unknown; readonly retryCount: number }> & {
    json(): Promise<unknown>;
    text(): Promise<string>;
    on(event: string, listener: (...args: unknown[]) => void): unknown;
    cancel?(): void;
  };
  extend(...options: unknown[]): Got;
  stream(
    url: string,
    options?: Record<string, unknown>,
  ): NodeJS.ReadableStream & { once(event: string, listener: (...args: never[]) => void): unknown };
  readonly defaults: {
    readonly options: { readonly retry: { readonly limit: number } };
    readonly handlers: readonly unknown[];
  };
  post(url: string, options?: Record<string, unknown>): Promise<unknown>;
}

interface Loaded {
  readonly got: Got;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly server: FlakyServer;
}

const retry = { limit: 2, backoffLimit: 4 };

/** A request function that shows each request as a span, as an instrumentation of `node:http` does. */
function traced(note: Note): unknown {
  return (url: URL, options: http.RequestOptions, callback: (response: http.IncomingMessage) => void) => {
    note('request', options.method);
    trace.getTracer('user').startSpan('GET').end();
    return http.request(url, options, callback);
  };
}

const hooks = (note: Note) => ({
  beforeRetry: [(error: Error, count: number) => note('beforeRetry', error.name, count)],
  beforeError: [
    (error: Error & { error?: Error }) => {
      note('beforeError', error.name ?? error.error?.name);
      return error;
    },
  ],
});

async function statusOf(request: ReturnType<Got>, note: Note): Promise<unknown> {
  const { statusCode, body, retryCount } = await request;
  note('answer', statusCode, retryCount);
  return body;
}

export const subject: Subject<Loaded> = {
  load: async ({ load }) => {
    const exports = (await load('got')) as Record<string, unknown>;
    return { exports, got: exports.default as Got, server: await startFlakyServer('{"rate":1.1}') };
  },
  scenarios: {
    shape: ({ got, exports }, note) => {
      note('got', got, Object.keys(got).sort(), got.defaults.options.retry.limit);
      note('exports', Object.keys(exports).sort());
    },
    'succeeds at once': ({ got, server }, note) => statusOf(got(server.url, { retry }), note),
    'succeeds after retries': ({ got, server }, note) => {
      server.fail(2);
      return statusOf(got(server.url, { retry, hooks: hooks(note), request: traced(note) }), note);
    },
    'reads json': ({ got, server }) => {
      server.fail(1);
      return got(server.url, { retry }).json();
    },
    'emits its events': async ({ got, server }, note) => {
      const request = got(server.url, { retry });
      request.on('request', () => note('request event'));
      request.on('response', () => note('response event'));
      return await request.text();
    },
    'exhausts its attempts': ({ got, server }, note) => {
      server.fail(9);
      return got(server.url, { retry, hooks: hooks(note) });
    },
    'meets a cut connection': ({ got, server }, note) => {
      server.fail(1, { cut: 'before' });
      return statusOf(got(server.url, { retry, hooks: hooks(note) }), note);
    },
    'has an error that is not retried': ({ got, server }, note) => {
      server.fail(9, { status: 404 });
      return got(server.url, { retry, hooks: hooks(note) });
    },
    'does not throw for a status': ({ got, server }, note) => {
      server.fail(9);
      return statusOf(got(server.url, { retry, throwHttpErrors: false }), note);
    },
    'has a calculation of its own': ({ got, server }, note) => {
      server.fail(2);
      return statusOf(
        got(server.url, {
          retry: {
            limit: 2,
            calculateDelay: async ({
              attemptCount,
              computedValue,
            }: {
              attemptCount: number;
              computedValue: number;
            }) => {
              note('calculateDelay', attemptCount, computedValue > 0);
              return attemptCount > 1 ? 0 : 5;
            },
          },
        }),
        note,
      );
    },
    'has a calculation that throws': ({ got, server }) => {
      server.fail(1);
      return got(server.url, {
        retry: {
          calculateDelay: () => {
            throw new Error('calculation');
          },
        },
      });
    },
    'is aborted while it waits': ({ got, server }) => {
      server.fail(9);
      const controller = new AbortController();
      // When the wait has begun, which is a second long, however long the answer before it took.
      void server.answered().then(() => setTimeout(() => controller.abort(), 60));
      return got(server.url, { retry: { limit: 2 }, signal: controller.signal });
    },
    'does not retry a POST': ({ got, server }) => {
      server.fail(9);
      return got.post(server.url, { json: { a: 1 }, retry });
    },
    'is extended': ({ got, server }, note) => {
      server.fail(1);
      return statusOf(got.extend({ retry }).extend(got, { headers: { a: 'b' } })(server.url), note);
    },
    'is a stream': async ({ got, server }, note) => {
      const stream = got.stream(server.url, { retry });
      let text = '';
      for await (const chunk of stream) text += String(chunk);
      note('text', text);
    },
    'has a wrong url': ({ got }) => got('not a url'),
    'has wrong options': ({ got, server }) => got(server.url, { retry: { limit: 'many' } }),
    'may not retry': ({ got, server }) => {
      server.fail(1);
      return got(server.url, { retry: { limit: 0 } });
    },
    'leaves a rejection to the process': async ({ got, server }, note) => {
      server.fail(9);
      const unhandled = new Promise<unknown>(resolve => process.once('unhandledRejection', resolve));
      void got(server.url, { retry: { limit: 1, backoffLimit: 1 } });
      note('unhandled', ((await unhandled) as Error).name);
    },
  },
};
