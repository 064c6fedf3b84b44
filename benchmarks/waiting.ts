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

/** How often a figure is taken anew for which the machine stood still too long. */
const TRIES = 10;

async function bytesPerWait(contender: Contender): Promise<number> {
  let figure = await heldBytes(contender);
  for (let tries = 1; tries < TRIES && figure.tookMs >= WAIT; tries++) figure = await heldBytes(contender);
  return figure.bytes;
}

/** What a call holds, and how long it took to find that out: after {@link WAIT} the first calls wait no longer. */
async function heldBytes({ run }: Contender): Promise<{ readonly bytes: number; readonly tookMs: number }> {
  collectGarbage();
  service.isDown = true;
  const before = process.memoryUsage().heapUsed;
  const start = performance.now();
  const calls = Array.from({ length: CALLS }, run);
  // By the next turn all of them have failed once, and wait.
  await new Promise(resolve => setImmediate(resolve));
  collectGarbage();
  const bytes = (process.memoryUsage().heapUsed - before) / CALLS;
  const tookMs = performance.now() - start;
  service.isDown = false;
  await Promise.allSettled(calls);
  return { bytes, tookMs };
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
