import { trace } from '@opentelemetry/api';
import type { Note, Subject } from '../support/scenario.ts';

interface Operation {
  attempt(fn: (number: number) => unknown, options?: unknown): void;
  retry(error?: unknown): boolean;
  mainError(): unknown;
  errors(): unknown[];
  attempts(): number;
  stop(): void;
  reset(): void;
}

interface Retry {
  operation(options?: Record<string, unknown>): Operation;
  timeouts(options?: Record<string, unknown>): number[];
  wrap(target: object, options: unknown, methods: string[]): void;
}

const quick = { minTimeout: 4, retries: 2 };
const fails = (times: number, note: Note): ((callback: (error: Error | null, value?: string) => void) => void) => {
  let made = 0;
  return callback => {
    made++;
    note('called', made);
    setTimeout(() => (made <= times ? callback(new Error(`failure ${made}`)) : callback(null, 'done')), 2);
  };
};

function byCallback(
  retry: Retry,
  times: number,
  note: Note,
  options: Record<string, unknown> = quick,
): Promise<unknown> {
  const operation = retry.operation(options);
  const work = fails(times, note);
  return new Promise((resolve, reject) => {
    operation.attempt(function resolveHost(number) {
      const span = trace.getTracer('user').startSpan(`request ${number}`);
      work((error, value) => {
        span.end();
        if (operation.retry(error)) return;
        note('attempts', operation.attempts(), operation.errors().length);
        if (error) reject(operation.mainError());
        else resolve(value);
      });
    });
  });
}

export const subject: Subject<Retry> = {
  load: async ({ load }) => {
    const exports = (await load('retry')) as Retry & { default?: Retry };
    return exports.default ?? exports;
  },
  scenarios: {
    shape: (retry, note) => {
      const operation = retry.operation();
      note('methods', operation.attempt, operation.retry, operation.stop, operation.mainError());
      note('timeouts', retry.timeouts(quick), Object.keys(operation));
    },
    'succeeds at once': (retry, note) => byCallback(retry, 0, note),
    'succeeds after retries': (retry, note) => byCallback(retry, 2, note),
    'exhausts its attempts': (retry, note) => byCallback(retry, 5, note),
    'may not retry': (retry, note) => byCallback(retry, 5, note, { retries: 0 }),
    'goes on for ever': (retry, note) =>
      byCallback(retry, 4, note, { forever: true, retries: 2, minTimeout: 2, maxTimeout: 4 }),
    'runs out of time': (retry, note) =>
      byCallback(retry, 9, note, { retries: 9, minTimeout: 1200, factor: 1, maxRetryTime: 1000 }),
    'has an async function': (retry, note) => {
      const operation = retry.operation(quick);
      let made = 0;
      return new Promise((resolve, reject) => {
        operation.attempt(async () => {
          try {
            note('called', ++made);
            if (made < 3) throw new Error('not yet');
            resolve('done');
          } catch (error) {
            if (!operation.retry(error)) reject(operation.mainError());
          }
        });
      });
    },
    'leaves a rejection to the process': async (retry, note) => {
      const unhandled = new Promise<unknown>(resolve => process.once('unhandledRejection', resolve));
      const operation = retry.operation(quick);
      operation.attempt(async () => {
        throw new Error('nobody listens');
      });
      note('unhandled', await unhandled);
    },
    'leaves a handled rejection alone': async (retry, note) => {
      const unhandled: unknown[] = [];
      const listen = (error: unknown): number => unhandled.push(error);
      process.on('unhandledRejection', listen);
      const handled = Promise.reject(new Error('handled'));
      handled.catch(() => undefined);
      const operation = retry.operation(quick);
      operation.attempt(() => handled);
      await new Promise(resolve => setTimeout(resolve, 5));
      operation.retry();
      process.off('unhandledRejection', listen);
      note('unhandled', unhandled.length);
    },
    'throws at once': (retry, note) => {
      const operation = retry.operation(quick);
      operation.attempt(() => {
        note('called');
        throw new Error('at once');
      });
    },
    'is stopped': async (retry, note) => {
      const operation = retry.operation(quick);
      operation.attempt(() => {
        note('called');
        operation.stop();
        note('again', operation.retry(new Error('fatal')));
      });
    },
    'has a time limit for an attempt': (retry, note) =>
      new Promise(resolve => {
        const operation = retry.operation({ retries: 1, minTimeout: 2 });
        operation.attempt(number => note('called', number), {
          timeout: 10,
          cb: () => {
            if (!operation.retry(new Error('too slow'))) resolve('gave up');
          },
        });
      }),
    'wraps an object': (retry, note) =>
      new Promise((resolve, reject) => {
        const work = fails(1, note);
        const service = {
          name: 'service',
          load(this: unknown, id: number, callback: (error: Error | null, value?: string) => void) {
            note('load', id);
            work(callback);
          },
        };
        retry.wrap(service, quick, ['load']);
        service.load(7, (error, value) => (error ? reject(error) : resolve(value)));
      }),
    'says nothing of its success': async (retry, note) => {
      // As promise-retry does it: what succeeds is never told to the operation.
      const run = (): Promise<unknown> =>
        new Promise(resolve => {
          const operation = retry.operation(quick);
          operation.attempt(number => {
            Promise.resolve()
              .then(() => {
                if (number < 2) throw new Error('not yet');
                return 'done';
              })
              .then(resolve, error => operation.retry(error));
          });
        });
      note('value', await run());
      // Only the collector learns that nobody will ask for another attempt.
      for (let i = 0; i < 20; i++) {
        globalThis.gc?.();
        await new Promise(resolve => setTimeout(resolve, 5));
      }
    },
    'has no function': retry => retry.operation(quick).attempt(undefined as never),
  },
};
