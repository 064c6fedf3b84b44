import { trace } from '@opentelemetry/api';
import { flaky, type Subject } from '../support/scenario.ts';

type Options = Record<string, unknown>;
type AsyncRetry = (fn: unknown, options?: Options) => Promise<unknown>;

const quick = { minTimeout: 4, randomize: false, retries: 2 };

interface Loaded {
  readonly retry: AsyncRetry;
  readonly exports: unknown;
}

export const subject: Subject<Loaded> = {
  load: async ({ load }) => {
    await load('retry');
    const exports = await load('async-retry');
    return {
      exports,
      retry: (typeof exports === 'function' ? exports : (exports as { default: unknown }).default) as AsyncRetry,
    };
  },
  scenarios: {
    shape: ({ retry, exports }, note) => {
      note('retry', retry, Object.keys(retry), typeof exports);
    },
    'succeeds at once': ({ retry }, note) => retry(flaky(0, note), quick),
    'succeeds after retries': ({ retry }, note) => {
      const work = flaky(2, note);
      return retry(
        async function fetchUser(_bail: unknown, number: number) {
          const span = trace.getTracer('user').startSpan(`request ${number}`);
          try {
            return await work(number);
          } finally {
            span.end();
          }
        },
        { ...quick, onRetry: (error: Error, number: number) => note('onRetry', error.message, number) },
      );
    },
    'exhausts its attempts': async ({ retry }, note) => {
      const last = new Error('always');
      const caught = await retry(() => Promise.reject(last), quick).catch(error => error);
      note('same error', caught === last);
    },
    'gets the most frequent error': ({ retry }) => {
      const messages = ['A', 'A', 'B'];
      return retry(() => Promise.reject(new Error(messages.shift())), quick);
    },
    bails: ({ retry }, note) =>
      retry(async (bail: (error: Error) => void) => {
        note('called', bail);
        bail(new Error('no use'));
        return 'ignored';
      }, quick),
    'bails by a mark': ({ retry }, note) =>
      retry(() => {
        note('called');
        return Promise.reject(Object.assign(new Error('marked'), { bail: true }));
      }, quick),
    'bails, and throws': ({ retry }, note) =>
      retry((bail: (error: Error) => void, number: number) => {
        note('called', number);
        bail(new Error('no use'));
        throw new Error('after the bail');
      }, quick),
    'throws at once': ({ retry }, note) =>
      retry(() => {
        note('called');
        throw new Error('at once');
      }, quick),
    'runs out of time': ({ retry }, note) =>
      retry(flaky(9, note), { retries: 9, minTimeout: 1200, factor: 1, randomize: false, maxRetryTime: 1000 }),
    'changes the options': async ({ retry }, note) => {
      const options: Options = { retries: 1 };
      await retry(flaky(0, note), options);
      note('options', options);
    },
    'has no options': ({ retry }, note) => retry(flaky(0, note)),
    'has wrong options': ({ retry }, note) => retry(flaky(0, note), { minTimeout: 5, maxTimeout: 1 }),
    'may not retry': ({ retry }, note) => retry(flaky(1, note), { retries: 0 }),
    'has a hook that throws': async ({ retry }, note) => {
      const unhandled = new Promise<unknown>(resolve => process.once('unhandledRejection', resolve));
      const never = retry(flaky(1, note), {
        ...quick,
        onRetry: () => {
          throw new Error('hook');
        },
      });
      note('unhandled', await unhandled);
      return never;
    },
    'leaves a rejection to the process': async ({ retry }, note) => {
      const unhandled = new Promise<unknown>(resolve => process.once('unhandledRejection', resolve));
      void retry(() => Promise.reject(new Error('nobody listens')), { retries: 1, minTimeout: 1 });
      note('unhandled', await unhandled);
    },
    'starts work that waits for its then': ({ retry }, note) =>
      retry(
        () => ({
          then: (resolve: (value: string) => void) => {
            note('work started');
            resolve('rows');
          },
        }),
        quick,
      ),
  },
};
