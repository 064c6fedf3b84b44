import { RetryPolicy } from 'retryscope/core';
import type { Contender } from './contenders.ts';
import { exponential, randomStream } from './random.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Clients of a service whose attempts fail independently of each other and of the load. */
export interface BernoulliSetting {
  /** The share of attempts that fail. */
  readonly failureRate: number;
  readonly clients: number;
  /** Calls per second of each client. */
  readonly callsPerSecond: number;
  readonly seconds: number;
}

/** What a contender makes of it. */
export interface BernoulliResult {
  /** Attempts per call. */
  readonly load: number;
  /** The share of calls that succeed in the end. */
  readonly success: number;
}

/**
 * Brooker's setting: calls arrive at exponential distances, each message takes 10 ms on average, and nothing gets slower
 * under load. (Source: M. Brooker, "Fixing retries with token buckets and circuit breakers", 2022.)
 */
export async function runBernoulli(
  setting: BernoulliSetting,
  contender: Contender,
  seed: number,
): Promise<BernoulliResult> {
  const clock = new VirtualClock(randomStream(seed * 3 + 1));
  const random = randomStream(seed * 3 + 2);
  const create = contender.processes(clock, setting.clients);
  let [calls, attempts, successes] = [0, 0, 0];
  const attempt = async (): Promise<void> => {
    attempts++;
    await clock.sleep(exponential(10, random) + exponential(10, random), undefined);
    if (random() < setting.failureRate) throw new Unavailable();
  };
  for (let i = 0; i < setting.clients; i++) {
    const client = new RetryPolicy({ operation: 'bernoulli', ...create(), clock });
    const arrive = (): void => {
      calls++;
      client.execute(attempt).then(
        () => successes++,
        () => undefined,
      );
      schedule();
    };
    const schedule = (): void => {
      const waitMs = exponential(1000 / setting.callsPerSecond, random);
      if (clock.now() + waitMs < setting.seconds * 1000) clock.timer(waitMs, arrive);
    };
    schedule();
  }
  await clock.run(Infinity);
  return { load: attempts / calls, success: successes / calls };
}

/** A budget without savings: `ratio` tokens for each success, or for each call that starts. */
export interface Funding {
  readonly ratio: number;
  readonly fundedBy: 'successes' | 'starts';
}

/** What theory says of a budget in the long run, with `maxAttempts` attempts. */
export function expectedLoad(failureRate: number, { ratio, fundedBy }: Funding, maxAttempts: number): BernoulliResult {
  const unlimited = failureRate === 1 ? maxAttempts : (1 - failureRate ** maxAttempts) / (1 - failureRate);
  const limit = fundedBy === 'starts' ? 1 + ratio : 1 / (1 - ratio * (1 - failureRate));
  const load = Math.min(unlimited, limit);
  return { load, success: (1 - failureRate) * load };
}

/** Each attempt has an error of its own, as those of a network are: one for all would look like a call inside a call. */
class Unavailable extends Error {
  readonly status = 503;
}
