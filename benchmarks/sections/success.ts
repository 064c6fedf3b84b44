import { RetryPolicy, retry, withRetry } from 'retryscope/core';
import { measureTime } from '../measure.ts';
import { peers } from '../peers.ts';
import { report } from '../section.ts';

const fn = async (): Promise<number> => 42;
const options = { operation: 'bench' };
const policy = new RetryPolicy(options);
const wrapped = withRetry(fn, options);

async function loop(work: () => Promise<number>): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= 3) throw error;
      await new Promise(resolve => setTimeout(resolve, 1000));
    }
  }
}

/** The least that anything has to do that retries: see a failure, and know what to run again. */
function least(work: () => Promise<number>): Promise<number> {
  return work().then(undefined, () => work());
}

// Each contender is awaited inside an async function, as every caller of a library does it.
const results = await measureTime(
  [
    { name: 'await fn()', run: async () => await fn() },
    { name: 'fn().then(), to see a failure', run: async () => await least(fn) },
    { name: 'hand-written loop', run: async () => await loop(fn) },
    { name: 'retryscope: retry', run: async () => await retry(fn, options) },
    { name: 'retryscope: policy.execute', run: async () => await policy.execute(fn) },
    { name: 'retryscope: withRetry', run: async () => await wrapped() },
    ...peers(() => fn, 1000),
  ],
  { rounds: 15, iterations: 40_000 },
);

report({
  title: 'First-try success, ./core, nobody watching',
  unit: 'ns',
  results,
  gates: [{ contender: 'retryscope: retry', limit: 1.25 }],
});
