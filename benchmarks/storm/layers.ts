import { type RetryOptions, retry } from 'retryscope/core';
import { randomStream } from './random.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Counts the calls at the bottom of layers of retries, each around the next, when nothing succeeds. */
export async function callsAtTheBottom(layers: number, options: RetryOptions): Promise<number> {
  const clock = new VirtualClock(randomStream(1));
  let calls = 0;
  const bottom = async (): Promise<never> => {
    calls++;
    throw new Error('down');
  };
  const layer = (depth: number): Promise<unknown> =>
    depth === 0 ? bottom() : retry(() => layer(depth - 1), { ...options, operation: `layer_${depth}`, clock });
  layer(layers).catch(() => undefined);
  await clock.run(Infinity);
  return calls;
}
