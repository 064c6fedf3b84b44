import { retry } from 'retryscope';
import { retryMetricProducer } from 'retryscope/opentelemetry';
import { measureTime } from '../measure.ts';
import { report } from '../section.ts';
import { byHand, startSdk } from '../telemetry-by-hand.ts';

const fn = async (): Promise<number> => 42;
const options = { operation: 'bench' };
startSdk([retryMetricProducer()]);
const hand = byHand(fn);

const results = await measureTime(
  [
    { name: 'two spans, a counter and a histogram by hand', run: async () => await hand() },
    { name: 'retryscope, with its MetricProducer', run: async () => await retry(fn, options) },
  ],
  { rounds: 21, iterations: 8000 },
);

report({
  title: 'First-try success, sampled, with our MetricProducer',
  unit: 'ns',
  results,
  gates: [{ contender: 'retryscope, with its MetricProducer', limit: 0.9 }],
});
