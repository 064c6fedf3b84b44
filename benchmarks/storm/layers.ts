import { type RetryOptions, retry } from 'retryscope/core';
import { randomStream } from './random.ts';
import { VirtualClock } from './virtual-clock.ts';

/**
 * Counts the calls at the bottom of layers of retries, each around the next, when nothing succeeds. Each hands its
 * signal on: what goes on after its caller has timed out is no layer but a load of its own.
 */
export async function callsAtTheBottom(layers: number, options: RetryOptions): Promise<number> {
  const clock = new VirtualClock(randomStream(1));
  let calls = 0;
  const bottom = async (): Promise<never> => {
    calls++;
    throw new Error('down');
  };
  const layer = (depth: number, signal?: AbortSignal): Promise<unknown> =>
    depth === 0
      ? bottom()
      : retry(attempt => layer(depth - 1, attempt.signal), { ...options, operation: `layer_${depth}`, signal, clock });
  layer(layers).catch(() => undefined);
  await clock.run(Infinity);
  return calls;
}
