import { trace } from '@opentelemetry/api';
import { flaky, type Subject } from '../support/scenario.ts';

interface Loaded {
  backOff(request: unknown, options?: Record<string, unknown>): Promise<unknown>;
}

const quick = { startingDelay: 4, numOfAttempts: 3 };

export const subject: Subject<Loaded> = {
  load: async ({ load }) => (await load('exponential-backoff')) as Loaded,
  scenarios: {
    shape: ({ backOff }, note) => note('backOff', backOff),
    'succeeds at once': ({ backOff }, note) => backOff(flaky(0, note), quick),
    'succeeds after retries': ({ backOff }, note) => {
      const work = flaky(2, note);
      return backOff(
        async function fetchUser() {
          const span = trace.getTracer('user').startSpan('request');
          try {
            return await work();
          } finally {
            span.end();
          }
        },
        {
          ...quick,
          retry: (error: Error, number: number) => {
            note('retry', error.message, number);
            return true;
          },
        },
      );
    },
    'exhausts its attempts': async ({ backOff }, note) => {
      const last = new Error('always');
      note('same error', (await backOff(() => Promise.reject(last), quick).catch(error => error)) === last);
    },
    'does not want a retry': ({ backOff }, note) => backOff(flaky(5, note), { ...quick, retry: () => false }),
    'waits before its first attempt': ({ backOff }, note) =>
      backOff(flaky(1, note), { ...quick, delayFirstAttempt: true }),
    'throws at once': ({ backOff }) =>
      backOff(() => {
        throw new Error('at once');
      }, quick),
    'has a hook that throws': ({ backOff }, note) =>
      backOff(flaky(1, note), {
        ...quick,
        retry: () => {
          throw new Error('hook');
        },
      }),
    'has no function': ({ backOff }) => backOff(undefined, quick),
    'may not retry': ({ backOff }, note) => backOff(flaky(1, note), { numOfAttempts: 0 }),
    'leaves a rejection to the process': async ({ backOff }, note) => {
      const unhandled = new Promise<unknown>(resolve => process.once('unhandledRejection', resolve));
      void backOff(() => Promise.reject(new Error('nobody listens')), { numOfAttempts: 2, startingDelay: 1 });
      note('unhandled', await unhandled);
    },
  },
};
