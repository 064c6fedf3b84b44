import { retry } from 'retryscope';
import { measureTime } from '../measure.ts';
import { report } from '../section.ts';
import { byHand, startSdk } from '../telemetry-by-hand.ts';

const fn = async (): Promise<number> => 42;
const options = { operation: 'bench' };
startSdk();
const hand = byHand(fn);

const results = await measureTime(
  [
    { name: 'two spans, a counter and a histogram by hand', run: async () => await hand() },
    { name: 'retryscope, through the SDK’s instruments', run: async () => await retry(fn, options) },
  ],
  { rounds: 21, iterations: 8000 },
);

report({
  title: 'First-try success, sampled, through the SDK’s instruments',
  unit: 'ns',
  results,
  gates: [{ contender: 'retryscope, through the SDK’s instruments', limit: 1.15 }],
});
