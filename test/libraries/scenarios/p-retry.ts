import { trace } from '@opentelemetry/api';
import { flaky, type Note, type Subject } from '../support/scenario.ts';

interface Options {
  [name: string]: unknown;
}

interface PRetry {
  default(fn: unknown, options?: Options | null): Promise<unknown>;
  makeRetriable(fn: unknown, options?: Options): (...args: unknown[]) => Promise<unknown>;
  AbortError: new (error: unknown) => Error;
}

const quick = { minTimeout: 4, retries: 2 };

function hooks(note: Note): Options {
  return {
    onFailedAttempt: (failed: { attemptNumber: number; retriesLeft: number; retryDelay?: number; error: Error }) =>
      note('onFailedAttempt', failed.attemptNumber, failed.retriesLeft, failed.retryDelay, failed.error.message),
  };
}

export const subject: Subject<PRetry> = {
  load: async ({ load }) => (await load('p-retry')) as PRetry,
  scenarios: {
    shape: ({ default: pRetry, makeRetriable, AbortError }, note) => {
      note(
        'pRetry',
        pRetry,
        makeRetriable,
        AbortError,
        makeRetriable((a: number, b: number) => a + b),
      );
      note('keys', Object.keys(pRetry));
    },
    'succeeds at once': ({ default: pRetry }, note) => pRetry(flaky(0, note), quick),
    'succeeds after retries': ({ default: pRetry }, note) => {
      const fetchRates = flaky(2, note);
      return pRetry(
        async function fetchRates_(number: number) {
          const span = trace.getTracer('user').startSpan(`request ${number}`);
          try {
            return await fetchRates(number);
          } finally {
            span.end();
          }
        },
        { ...quick, ...hooks(note) },
      );
    },
    'exhausts its attempts': async ({ default: pRetry }, note) => {
      const last = new Error('always');
      let caught: unknown;
      try {
        await pRetry(() => Promise.reject(last), { ...quick, ...hooks(note) });
      } catch (error) {
        caught = error;
      }
      note('same error', caught === last);
    },
    'is told to stop': async ({ default: pRetry, AbortError }, note) => {
      const why = new Error('wrong password');
      let caught: unknown;
      try {
        await pRetry(() => Promise.reject(new AbortError(why)), { ...quick, ...hooks(note) });
      } catch (error) {
        caught = error;
      }
      note('same error', caught === why);
    },
    'throws at once': ({ default: pRetry }, note) =>
      pRetry(
        () => {
          note('called');
          throw new Error('at once');
        },
        { ...quick, retries: 1 },
      ),
    'has a program error': ({ default: pRetry }) => pRetry(() => Promise.reject(new TypeError('no function')), quick),
    'throws a string': ({ default: pRetry }) => pRetry(() => Promise.reject('text'), quick),
    'does not want a retry': ({ default: pRetry }, note) =>
      pRetry(flaky(5, note), {
        ...quick,
        shouldRetry: (failed: { attemptNumber: number }) => failed.attemptNumber < 2,
      }),
    'asks a slow predicate': ({ default: pRetry }, note) =>
      pRetry(flaky(5, note), {
        ...quick,
        shouldRetry: async (failed: { attemptNumber: number }) => {
          await new Promise(resolve => setTimeout(resolve, 2));
          return failed.attemptNumber < 2;
        },
      }),
    'has a predicate that throws': ({ default: pRetry }, note) =>
      pRetry(flaky(5, note), {
        ...quick,
        shouldRetry: () => {
          throw new Error('predicate');
        },
      }),
    'is aborted while it waits': ({ default: pRetry }, note) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error('no longer')), 30);
      return pRetry(flaky(5, note), { retries: 2, minTimeout: 5000, signal: controller.signal });
    },
    'was aborted before': ({ default: pRetry }, note) =>
      pRetry(flaky(0, note), { ...quick, signal: AbortSignal.abort(new Error('never')) }),
    'runs out of time': ({ default: pRetry }, note) =>
      pRetry(flaky(9, note), { retries: 5, minTimeout: 1200, factor: 1, maxRetryTime: 1000 }),
    'has wrong options': ({ default: pRetry }, note) => pRetry(flaky(0, note), { retries: -1 }),
    'has a wrong predicate': ({ default: pRetry }, note) => pRetry(flaky(0, note), { shouldRetry: 5 }),
    'has no options': ({ default: pRetry }, note) => pRetry(flaky(0, note), null),
    'has hostile options': ({ default: pRetry }, note) =>
      pRetry(flaky(0, note), {
        get retries(): number {
          throw new Error('getter');
        },
      }),
    'has no function': ({ default: pRetry }) => pRetry(undefined, { ...quick, minTimeout: 1, retries: 1 }),
    'may not retry': ({ default: pRetry }, note) => pRetry(flaky(1, note), { retries: 0 }),
    'starts work that waits for its then': ({ default: pRetry }, note) =>
      pRetry(
        () => ({
          // As queries of mongoose and knex do.
          then: (resolve: (value: string) => void) => {
            note('work started');
            resolve('rows');
          },
        }),
        quick,
      ),
    'makes a function retriable': ({ makeRetriable }, note) => {
      let made = 0;
      const account = {
        owner: 'ada',
        read: makeRetriable(async function readAccount(this: { owner: string }, cents: number) {
          note('called', this.owner, cents);
          if (++made < 3) throw new Error('not yet');
          return `${this.owner} has ${cents}`;
        }, quick),
      };
      return account.read(5);
    },
    'leaves a rejection to the process': async ({ default: pRetry }, note) => {
      const unhandled = new Promise<unknown>(resolve => process.once('unhandledRejection', resolve));
      void pRetry(() => Promise.reject(new Error('nobody listens')), { retries: 1, minTimeout: 1 });
      note('unhandled', await unhandled);
    },
  },
};
