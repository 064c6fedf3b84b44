import { RetryPolicy } from 'retryscope/core';
import type { Contender } from './contenders.ts';
import { exponential, randomStream } from './random.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Calls and successes per second in the minute's last third, long after the burst. */
export interface CollapseResult {
  readonly arrivals: number;
  readonly goodput: number;
}

/**
 * Brooker's simulator of a collapse: 40 calls a second, 80 between seconds 20 and 25, on a service whose latency is 1 s
 * and a hundredth of a second more for each request that is in it; clients wait for 3 s.
 */
export async function runCollapse(contender: Contender, seed: number): Promise<CollapseResult> {
  const clock = new VirtualClock(randomStream(seed * 3 + 1));
  const random = randomStream(seed * 3 + 2);
  const create = contender.processes(clock, 1);
  const client = new RetryPolicy({ operation: 'collapse', attemptTimeout: TIMEOUT_MS, ...create(), clock });
  let inService = 0;
  let [arrivals, goodput] = [0, 0];
  const attempt = async (): Promise<void> => {
    await clock.sleep(exponential(NETWORK_MS, random), undefined);
    inService++;
    await clock.sleep(1000 + 10 * inService, undefined);
    inService--;
    await clock.sleep(exponential(NETWORK_MS, random), undefined);
  };
  const counts = (ms: number): boolean => ms >= MEASURED_FROM_MS && ms < END_MS;
  const arrive = (): void => {
    const isBurst = clock.now() >= 20_000 && clock.now() < 25_000;
    clock.timer(exponential(1000 / (isBurst ? 80 : 40), random), arrive);
    if (counts(clock.now())) arrivals++;
    client.execute(attempt).then(
      () => {
        if (counts(clock.now())) goodput++;
      },
      () => undefined,
    );
  };
  arrive();
  await clock.run(END_MS);
  const seconds = (END_MS - MEASURED_FROM_MS) / 1000;
  return { arrivals: arrivals / seconds, goodput: goodput / seconds };
}

const TIMEOUT_MS = 3000;
const NETWORK_MS = 100;
const MEASURED_FROM_MS = 60_000;
const END_MS = 80_000;
