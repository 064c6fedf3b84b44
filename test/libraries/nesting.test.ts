import { asyncRetry } from '../../instrumentation/libraries/async-retry.ts';
import { exponentialBackoff } from '../../instrumentation/libraries/exponential-backoff.ts';
import { retry as retryLibrary } from '../../instrumentation/libraries/retry.ts';
import { addObserver } from '../../src/engine/default-observer.ts';
import { retry } from '../../src/forms/retry.ts';

type AsyncRetry = (fn: unknown, options: Record<string, unknown>) => Promise<unknown>;
type BackOff = { backOff(fn: unknown, options: Record<string, unknown>): Promise<unknown> };

retryLibrary.patch(require('retry'));
const asyncRetried = asyncRetry.patch(require('async-retry')) as AsyncRetry;
const { backOff } = exponentialBackoff.patch(require('exponential-backoff')) as BackOff;

/** The calls that were seen, each with the number of its attempts. */
let seen: [operation: string, attempts: number][] = [];
let remove: () => void;

beforeEach(() => {
  seen = [];
  remove = addObserver({ call: ({ operation }) => ({ end: ({ attempts }) => void seen.push([operation, attempts]) }) });
});
afterEach(() => remove());

function failing(times: number): () => Promise<string> {
  let made = 0;
  return async () => {
    if (++made <= times) throw new Error(`failure ${made}`);
    return 'done';
  };
}

describe('layers of retries', () => {
  it('are one where a library stands on another: async-retry on retry', async () => {
    await asyncRetried(failing(2), { retries: 2, minTimeout: 1 });
    expect(seen).toEqual([['async-retry', 3]]);
  });

  it('are two where the user has put one inside the other, since they multiply', async () => {
    const work = failing(3);
    await asyncRetried(() => backOff(() => work(), { numOfAttempts: 2, startingDelay: 1 }), {
      retries: 1,
      minTimeout: 1,
    });
    expect(seen).toEqual([
      ['exponential-backoff', 2],
      ['exponential-backoff', 2],
      ['async-retry', 2],
    ]);
  });

  it('are two where our own policy is around a library that retries', async () => {
    const work = failing(1);
    await retry(() => asyncRetried(() => work(), { retries: 2, minTimeout: 1 }), {
      operation: 'outer',
      initialDelay: 1,
    });
    expect(seen).toEqual([
      ['async-retry', 2],
      ['outer', 1],
    ]);
  });

  it('are one where our own policy is around a library that may not retry', async () => {
    const work = failing(1);
    await retry(() => asyncRetried(() => work(), { retries: 0 }), { operation: 'outer', initialDelay: 1 });
    expect(seen).toEqual([['outer', 2]]);
  });

  it('keep to themselves an operation that the user makes inside an attempt', async () => {
    const operations = require('retry') as {
      operation(options: object): { attempt(fn: () => void): void; retry(error?: Error): boolean };
    };
    await asyncRetried(
      () => {
        const operation = operations.operation({ retries: 1, minTimeout: 1 });
        operation.attempt(() => operation.retry());
        return 'done';
      },
      { retries: 2 },
    );
    expect(seen).toEqual([
      ['retry', 1],
      ['async-retry', 1],
    ]);
  });
});
