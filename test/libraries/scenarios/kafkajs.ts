import { trace } from '@opentelemetry/api';
import { flaky, type Subject } from '../support/scenario.ts';

type Retrier = (fn: (bail: (error: Error) => void, count: number, time: number) => unknown) => Promise<unknown>;
type CreateRetry = (options?: Record<string, unknown>) => Retrier;

const quick = { initialRetryTime: 4, retries: 2, factor: 0 };

export const subject: Subject<CreateRetry> = {
  load: async ({ load }) => {
    const exports = (await load('kafkajs', 'src/retry/index.js')) as CreateRetry & { default?: CreateRetry };
    return exports.default ?? exports;
  },
  scenarios: {
    shape: (createRetry, note) => note('createRetry', createRetry, createRetry(quick)),
    'succeeds at once': (createRetry, note) => createRetry(quick)((_bail, count, time) => flaky(0, note)(count, time)),
    'succeeds after retries': (createRetry, note) => {
      const work = flaky(2, note);
      return createRetry(quick)(async (_bail, count, time) => {
        const span = trace.getTracer('user').startSpan(`request ${count}`);
        try {
          return await work(count, time);
        } finally {
          span.end();
        }
      });
    },
    'exhausts its attempts': (createRetry, note) => createRetry(quick)(flaky(5, note)),
    bails: (createRetry, note) =>
      createRetry(quick)(async bail => {
        note('called');
        bail(new Error('no use'));
      }),
    'has an error that is not retriable': createRetry =>
      createRetry(quick)(() => Promise.reject(Object.assign(new Error('bad request'), { retriable: false }))),
    'has a program error': createRetry => createRetry(quick)(() => Promise.reject(new TypeError('no function'))),
    'throws at once': createRetry =>
      createRetry(quick)(() => {
        throw new Error('at once');
      }),
    'has no function': createRetry => createRetry(quick)(undefined as never),
    'may not retry': (createRetry, note) => createRetry({ ...quick, retries: 0 })(flaky(1, note)),
  },
};
