import { retry } from 'retryscope/core';
import { type Contender, collectGarbage, measure } from '../measure.ts';
import { peers } from '../peers.ts';
import { report } from '../section.ts';

const CALLS = 10_000;
const DELAY = 300;
const error = new Error('down');
const failing = async (): Promise<never> => {
  throw error;
};

async function loop(fn: () => Promise<never>): Promise<never> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fn();
    } catch (failure) {
      if (attempt >= 2) throw failure;
      await new Promise(resolve => setTimeout(resolve, DELAY));
    }
  }
}

const options = { operation: 'bench', maxAttempts: 2, initialDelay: DELAY, jitter: false } as const;
const others = peers(() => failing, DELAY).filter(({ name }) => name === 'cockatiel 4' || name === 'p-retry 9');

/** Bytes that one waiting call holds. */
async function bytesPerWait({ run }: Contender): Promise<number> {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const calls = Array.from({ length: CALLS }, run);
  // By the next turn all of them have failed once, and wait.
  await new Promise(resolve => setImmediate(resolve));
  collectGarbage();
  const held = (process.memoryUsage().heapUsed - before) / CALLS;
  await Promise.allSettled(calls);
  return held;
}

const results = await measure(
  [
    { name: 'hand-written loop', run: () => loop(failing) },
    { name: 'retryscope', run: () => retry(failing, options) },
    ...others,
  ],
  5,
  bytesPerWait,
);

report({
  title: 'Heap of one waiting call, no signal, nobody watching',
  unit: 'bytes',
  results,
  gates: [{ contender: 'retryscope', limit: 0.95 }],
});
