import { retry } from 'retryscope';
import { retryMetricProducer } from 'retryscope/opentelemetry';
import { measureTime } from '../measure.ts';
import { report } from '../section.ts';
import { byHand, startSdk, underUnsampledParent } from '../telemetry-by-hand.ts';

const fn = async (): Promise<number> => 42;
const options = { operation: 'bench' };
startSdk([retryMetricProducer()]);
const hand = underUnsampledParent(byHand(fn));
const ours = underUnsampledParent(() => retry(fn, options));

const results = await measureTime(
  [
    { name: 'by hand', run: async () => await hand() },
    { name: 'retryscope', run: async () => await ours() },
  ],
  { rounds: 21, iterations: 10_000 },
);

report({
  title: 'First-try success, parent not sampled',
  unit: 'ns',
  results,
  gates: [{ contender: 'retryscope', limit: 0.45 }],
});
