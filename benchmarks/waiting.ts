import { type Contender, collectGarbage, measure, type Result } from './measure.ts';

const CALLS = 10_000;
/** How long the calls wait, in milliseconds: long enough to be measured meanwhile. */
export const WAIT = 300;

/** What all contenders call: down until their calls wait, and well when they try again. */
export const service: { isDown: boolean } = { isDown: false };

/** Measures the bytes that one waiting call of each contender holds. */
export function measureWaiting(contenders: readonly Contender[], rounds: number): Promise<Result[]> {
  return measure(contenders, rounds, bytesPerWait);
}

async function bytesPerWait({ run }: Contender): Promise<number> {
  collectGarbage();
  service.isDown = true;
  const before = process.memoryUsage().heapUsed;
  const calls = Array.from({ length: CALLS }, run);
  // By the next turn all of them have failed once, and wait.
  await new Promise(resolve => setImmediate(resolve));
  collectGarbage();
  const held = (process.memoryUsage().heapUsed - before) / CALLS;
  service.isDown = false;
  await Promise.allSettled(calls);
  return held;
}

/** The loop that people write: two attempts. */
export async function waitingLoop<T>(fn: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fn();
    } catch (failure) {
      if (attempt >= 2) throw failure;
      await new Promise(resolve => setTimeout(resolve, WAIT));
    }
  }
}
