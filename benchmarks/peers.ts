import { createRequire } from 'node:module';
import { StandardRetryStrategy } from '@smithy/util-retry';
import { ConstantBackoff, retry as cockatiel, handleAll } from 'cockatiel';
import { Effect, Schedule } from 'effect';
import { backOff } from 'exponential-backoff';
import pRetry from 'p-retry';
import type { Contender } from './measure.ts';

const require = createRequire(import.meta.url);
const asyncRetry: (fn: () => Promise<unknown>, options: object) => Promise<unknown> = require('async-retry');

/** How the other libraries do it: three attempts, `delay` ms between them. Each object is made once, as in a service. */
export function peers(makeFn: () => () => Promise<unknown>, delay: number): Contender[] {
  const policy = cockatiel(handleAll, { maxAttempts: 2, backoff: new ConstantBackoff(delay) });
  const pRetryOptions = { retries: 2, minTimeout: delay, maxTimeout: delay, factor: 1 };
  const asyncRetryOptions = { retries: 2, minTimeout: delay, maxTimeout: delay, factor: 1, randomize: false };
  const backOffOptions = { numOfAttempts: 3, startingDelay: delay, timeMultiple: 1 };
  const smithy = new StandardRetryStrategy(3);
  const schedule = Schedule.spaced(delay);
  return [
    { name: 'cockatiel 4', run: async () => await policy.execute(makeFn()) },
    { name: 'p-retry 9', run: async () => await pRetry(makeFn(), pRetryOptions) },
    { name: 'async-retry', run: async () => await asyncRetry(makeFn(), asyncRetryOptions) },
    { name: 'exponential-backoff', run: async () => await backOff(makeFn(), backOffOptions) },
    {
      name: 'effect 4',
      run: async () => {
        const fn = makeFn();
        return await Effect.runPromise(Effect.retry(Effect.tryPromise(fn), { times: 2, schedule }));
      },
    },
    { name: '@smithy/util-retry', run: () => smithyRetry(smithy, makeFn(), delay) },
  ];
}

/** The loop that the AWS SDK writes around its strategy. */
async function smithyRetry(
  strategy: StandardRetryStrategy,
  fn: () => Promise<unknown>,
  delay: number,
): Promise<unknown> {
  let token = await strategy.acquireInitialRetryToken('bench');
  for (;;) {
    try {
      const value = await fn();
      strategy.recordSuccess(token);
      return value;
    } catch (error) {
      token = await strategy.refreshRetryTokenForRetry(token, { errorType: 'TRANSIENT', error } as never);
      await new Promise(resolve => setTimeout(resolve, delay));
    }
  }
}
