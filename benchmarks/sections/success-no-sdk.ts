import { retry } from 'retryscope';
import { measureTime } from '../measure.ts';
import { report } from '../section.ts';

const fn = async (): Promise<number> => 42;
const options = { operation: 'bench' };

const results = await measureTime(
  [
    { name: 'await fn()', run: async () => await fn() },
    { name: 'retryscope, default import', run: async () => await retry(fn, options) },
  ],
  { rounds: 21, iterations: 60_000 },
);

report({
  title: 'First-try success, default import, no SDK registered',
  unit: 'ns',
  results,
  gates: [{ contender: 'retryscope, default import', limit: 1.6 }],
});
