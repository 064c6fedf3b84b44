import { subscribe } from 'node:diagnostics_channel';
import { trace } from '@opentelemetry/api';
import { type FlakyServer, startFlakyServer } from '../support/flaky-server.ts';
import type { Note, Subject } from '../support/scenario.ts';

interface Answer {
  readonly statusCode: number;
  readonly body: { text(): Promise<string>; dump(): Promise<void> };
}

interface Dispatcher {
  request(options: Record<string, unknown>): Promise<Answer>;
  compose(interceptor: unknown): Dispatcher;
  dispatch(options: unknown, handler: unknown): boolean;
  close(): Promise<void>;
}

interface Undici {
  readonly Agent: new () => Dispatcher;
  readonly Client: new (origin: string) => Dispatcher;
  readonly RetryAgent: new (agent: Dispatcher, options?: Record<string, unknown>) => Dispatcher;
  readonly RetryHandler: new (options: unknown, handlers: unknown) => object;
  readonly interceptors: { retry(options?: Record<string, unknown>): unknown };
  request(url: string, options?: Record<string, unknown>): Promise<Answer>;
  fetch(url: string, options?: Record<string, unknown>): Promise<Response>;
}

interface Loaded {
  readonly undici: Undici;
  readonly server: FlakyServer;
}

const quick = { maxRetries: 2, minTimeout: 4, timeoutFactor: 1 };

/** Each request as a span, in the context in which it is sent: as instrumentations of undici do. */
subscribe('undici:request:create', () => trace.getTracer('user').startSpan('GET').end());

async function textOf(answer: Promise<Answer>, note: Note): Promise<string> {
  const { statusCode, body } = await answer;
  note('answer', statusCode);
  return await body.text();
}

function retrying({ undici }: Loaded, options: Record<string, unknown> = quick): Dispatcher {
  return new undici.RetryAgent(new undici.Agent(), options);
}

const to = ({ server }: Loaded, method = 'GET') => ({
  origin: `http://${server.host}`,
  path: '/path?token=planted-secret',
  method,
});

export const subject: Subject<Loaded> = {
  load: async ({ load }) => {
    const exports = (await load('undici')) as Undici & { readonly default?: Undici };
    return { undici: exports, server: await startFlakyServer('{"rate":1.1}') };
  },
  scenarios: {
    shape: ({ undici }, note) => {
      const { RetryAgent, RetryHandler, interceptors } = undici;
      note('classes', RetryAgent, RetryHandler, interceptors.retry, interceptors.retry({}));
      note('keys', Object.keys(new RetryAgent(new undici.Agent())), Reflect.ownKeys(RetryHandler.prototype));
    },
    'succeeds at once': (loaded, note) => textOf(retrying(loaded).request(to(loaded)), note),
    'succeeds after retries': (loaded, note) => {
      loaded.server.fail(2);
      return textOf(retrying(loaded).request(to(loaded)), note);
    },
    'exhausts its attempts': (loaded, note) => {
      loaded.server.fail(9);
      return textOf(retrying(loaded).request(to(loaded)), note);
    },
    'meets a cut connection': (loaded, note) => {
      loaded.server.fail(1, { cut: 'before' });
      return textOf(
        retrying(loaded, { ...quick, errorCodes: ['UND_ERR_SOCKET', 'ECONNRESET'] }).request(to(loaded)),
        note,
      );
    },
    'meets a cut body': (loaded, note) => {
      loaded.server.fail(1, { cut: 'within' });
      return textOf(retrying(loaded).request(to(loaded)), note);
    },
    'has a status that is not retried': (loaded, note) => {
      loaded.server.fail(9, { status: 404 });
      return textOf(retrying(loaded).request(to(loaded)), note);
    },
    'does not retry a POST': (loaded, note) => {
      loaded.server.fail(9);
      return textOf(retrying(loaded).request({ ...to(loaded, 'POST'), body: 'a' }), note);
    },
    'has a policy of its own': (loaded, note) => {
      loaded.server.fail(9);
      return textOf(
        retrying(loaded, {
          ...quick,
          retry: (
            error: Error,
            { state }: { state: { counter: number } },
            callback: (error?: Error | null) => void,
          ) => {
            note('retry', error.message, state.counter);
            setTimeout(() => callback(state.counter > 1 ? error : null), 2);
          },
        }).request(to(loaded)),
        note,
      );
    },
    'is aborted while it waits': (loaded, note) => {
      loaded.server.fail(9);
      const controller = new AbortController();
      // When the wait has begun, however long the answer before it took.
      void loaded.server.answered().then(() => setTimeout(() => controller.abort(), 50));
      return textOf(
        retrying(loaded, { ...quick, minTimeout: 5000 }).request({ ...to(loaded), signal: controller.signal }),
        note,
      );
    },
    'cannot connect': (loaded, note) =>
      textOf(retrying(loaded).request({ origin: 'http://127.0.0.1:1', path: '/', method: 'GET' }), note),
    'has a wrong request': (loaded, note) => textOf(retrying(loaded).request({ ...to(loaded), path: 5 }), note),
    'has an interceptor': (loaded, note) => {
      loaded.server.fail(2);
      const agent = new loaded.undici.Agent().compose(loaded.undici.interceptors.retry(quick));
      return textOf(agent.request(to(loaded)), note);
    },
    'has an interceptor on a client': (loaded, note) => {
      loaded.server.fail(1);
      const client = new loaded.undici.Client(`http://${loaded.server.host}`);
      return textOf(
        client
          .compose(loaded.undici.interceptors.retry({ maxRetries: 9 }))
          .request({ path: '/', method: 'GET', retryOptions: quick }),
        note,
      );
    },
    'has an interceptor that may not retry': (loaded, note) => {
      loaded.server.fail(1);
      const agent = new loaded.undici.Agent().compose(loaded.undici.interceptors.retry({ maxRetries: 0 }));
      return textOf(agent.request(to(loaded)), note);
    },
    'has one inside the other': (loaded, note) => {
      loaded.server.fail(3);
      const { undici } = loaded;
      const inner = new undici.RetryAgent(new undici.Agent(), { ...quick, maxRetries: 1 });
      return textOf(
        new undici.RetryAgent(inner, { ...quick, maxRetries: 1, errorCodes: ['UND_ERR_REQ_RETRY'] }).request(
          to(loaded),
        ),
        note,
      );
    },
    'is fetched': async (loaded, note) => {
      loaded.server.fail(1);
      const response = await loaded.undici.fetch(loaded.server.url, { dispatcher: retrying(loaded) });
      note('answer', response.status);
      return await response.text();
    },
    'leaves the body for later': async (loaded, note) => {
      const { statusCode, body } = await retrying(loaded).request(to(loaded));
      note('answer', statusCode);
      await body.dump();
    },
  },
};
