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

// Each contender is awaited inside an async function, as every caller of a library does it.
const results = await measureTime(
  [
    { name: 'await fn()', run: async () => await fn() },
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
