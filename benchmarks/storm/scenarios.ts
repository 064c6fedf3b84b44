import { runBernoulli } from './bernoulli.ts';
import { runCollapse } from './collapse.ts';
import { type Contender, type ContenderName, contenders } from './contenders.ts';
import { callsAtTheBottom } from './layers.ts';
import { PUBLISHED } from './published.ts';
import type { Outcome, RunTerms, Scenario, ScenarioName } from './scenario.ts';
import { runStorm, type StormResult, type StormSetting } from './storm.ts';
import { VirtualClock } from './virtual-clock.ts';

/** "Metastable Failures in Distributed Systems", HotOS 2021: one retry, a ten-second outage, for good. */
export const HOTOS: Omit<StormSetting, 'processes'> = {
  capacity: 300,
  load: 280,
  timeoutMs: 1000,
  trigger: { fromMs: 60_000, toMs: 70_000, factor: 0.001 },
  endMs: 600_000,
};

/** "Metastable Failures in the Wild", OSDI 2022, section 5.2: four retries, four fifths of the capacity gone for 10 s. */
export const OSDI: Omit<StormSetting, 'processes'> = {
  capacity: 100,
  load: 80,
  timeoutMs: 3000,
  trigger: { fromMs: 60_000, toMs: 70_000, factor: 0.2 },
  endMs: 400_000,
};

/** The failure rates of the table in Brooker's post. */
export const FAILURE_RATES: readonly number[] = [0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1];

/** Load of more than this, in calls, is no longer bounded by a budget of a fifth and what it had saved up. */
const HIGHEST_LOAD = 1.25;

/** Every scenario by its name. */
export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  hotos: storm({
    title: 'HotOS 2021: 280 calls/s on a server for 300/s, one retry, no capacity for 10 s',
    setting: HOTOS,
    processes: 1,
    presets: pick(2, [
      'none',
      'unlimited',
      'starts20',
      'starts10',
      'starts7',
      'starts5',
      'window20',
      'windowSuccesses',
      'finagle',
      'grpc10',
      'grpc1000',
      'aws5',
      'aws14',
      'breaker',
      'successes20',
      'successes10',
      'recommended',
    ]),
    published: PUBLISHED.hotos,
  }),
  osdi: storm({
    title: 'OSDI 2022: 80 calls/s on a server for 100/s, four retries, a fifth of the capacity for 10 s',
    setting: OSDI,
    processes: 100,
    presets: pick(5, [
      'none',
      'unlimited',
      'jitter',
      'starts10',
      'finagle',
      'grpc10',
      'grpc1000',
      'aws14',
      'breaker',
      'capacity100',
      'successes10',
      'shared10',
      'fleet10',
      'sharedRecommended',
      'fleetRecommended',
    ]),
    published: PUBLISHED.osdi,
  }),
  brooker: {
    title: 'Brooker 2022: attempts that fail independently; above the load, below the success, % of the calls',
    criterion: `the load stays at or below ${HIGHEST_LOAD} times the calls, however many attempts fail`,
    presets: pick(4, [
      'none',
      'unlimited',
      'starts10',
      'gate10',
      'grpc10',
      'aws14',
      'successes20',
      'successes10',
      'recommended',
    ]),
    columns: FAILURE_RATES.map(rate => `${rate * 100} %`),
    published: PUBLISHED.brooker,
    runs: 'one',
    processes: 100,
    run: bernoulli,
  },
  collapse: {
    title: 'Collapse: 40 calls/s, 80 for 5 s, on a service that slows down with every request in it',
    criterion: 'at least half of the calls succeed in the end, in every run',
    presets: pick(3, [
      'none',
      'unlimited',
      'slow',
      'starts20',
      'starts10',
      'grpc10',
      'aws14',
      'successes20',
      'successes10',
      'recommended',
    ]),
    columns: ['goodput, calls/s', 'runs that collapsed'],
    published: PUBLISHED.collapse,
    runs: 'per seed',
    processes: 1,
    run: collapse,
  },
  layers: {
    title: 'Layers: three layers of retries around a call that fails; calls at the bottom',
    criterion: 'there are no more calls at the bottom than one layer has attempts',
    presets: [
      { name: 'four attempts each, nested: both', processes: () => () => ({ maxAttempts: 4, nested: 'both' }) },
      { name: 'four attempts each, nested: inner', processes: () => () => ({ maxAttempts: 4 }) },
    ],
    columns: ['calls'],
    published: {},
    runs: 'one',
    processes: 1,
    run: layers,
  },
};

function pick(maxAttempts: number, names: readonly ContenderName[]): Contender[] {
  const all = contenders(maxAttempts);
  return names.map(name => all[name]);
}

interface StormTerms extends Pick<Scenario, 'title' | 'presets' | 'processes' | 'published'> {
  readonly setting: Omit<StormSetting, 'processes'>;
}

function storm({ setting, ...terms }: StormTerms): Scenario {
  return {
    ...terms,
    runs: 'per seed',
    criterion: 'all but 1 % of the calls succeed again after the trigger, in every run',
    columns: ['recovers after, s', 'peak load', 'load at the end'],
    run: async (contender, { processes, ...run }) => {
      const numbers = await perSeed(run, seed => runStorm({ ...setting, processes }, contender, seed));
      const never = numbers.filter(({ recoverySeconds }) => recoverySeconds === undefined).length;
      return {
        cells: [
          recoveryCell(numbers, never),
          range(numbers.map(({ peakAmplification }) => peakAmplification.toFixed(2))),
          range(numbers.map(({ finalAmplification }) => finalAmplification.toFixed(2))),
        ],
        verdict: never === 0 ? 'recovers' : 'does_not_recover',
        numbers,
      };
    },
  };
}

function recoveryCell(numbers: readonly StormResult[], never: number): string {
  const found = numbers.flatMap(({ recoverySeconds }) => recoverySeconds ?? []).sort((a, b) => a - b);
  if (found.length === 0) return 'never';
  const seconds = range(found.map(String));
  return never === 0 ? seconds : `${seconds}, never in ${never}`;
}

async function bernoulli(contender: Contender, terms: RunTerms): Promise<Outcome> {
  const numbers: { failureRate: number; load: number; success: number }[] = [];
  for (const failureRate of FAILURE_RATES) {
    const setting = { failureRate, clients: terms.processes, callsPerSecond: 1000 / terms.processes, seconds: 100 };
    // One run has a hundred thousand calls, and further ones would show the same.
    const all = await perSeed({ ...terms, seeds: terms.seeds.slice(0, 1) }, seed =>
      runBernoulli(setting, contender, seed),
    );
    numbers.push({
      failureRate,
      load: mean(all.map(({ load }) => load)),
      success: mean(all.map(({ success }) => success)),
    });
  }
  return {
    cells: numbers.map(({ load, success }) => `${(load * 100).toFixed(1)}\n${(success * 100).toFixed(1)}`),
    verdict: numbers.every(({ load }) => load <= HIGHEST_LOAD) ? 'recovers' : 'does_not_recover',
    numbers,
  };
}

async function collapse(contender: Contender, terms: RunTerms): Promise<Outcome> {
  const numbers = await perSeed(terms, seed => runCollapse(contender, seed));
  const collapsed = numbers.filter(({ arrivals, goodput }) => goodput < arrivals / 2).length;
  return {
    cells: [mean(numbers.map(({ goodput }) => goodput)).toFixed(1), `${collapsed} of ${numbers.length}`],
    verdict: collapsed === 0 ? 'recovers' : 'does_not_recover',
    numbers,
  };
}

async function layers(contender: Contender, { onRun }: RunTerms): Promise<Outcome> {
  const process = contender.processes(new VirtualClock(() => 0.5), 1)();
  const calls = await callsAtTheBottom(3, process);
  onRun?.();
  const { maxAttempts = 3 } = process;
  return {
    cells: [String(calls)],
    verdict: calls <= maxAttempts ? 'recovers' : 'does_not_recover',
    numbers: [{ calls }],
  };
}

async function perSeed<R>(
  { seeds, onRun }: Pick<RunTerms, 'seeds' | 'onRun'>,
  run: (seed: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (const seed of seeds) {
    results.push(await run(seed));
    onRun?.();
  }
  return results;
}

function range(values: readonly string[]): string {
  const sorted = [...values].sort((a, b) => Number(a) - Number(b));
  const [low, high] = [sorted.at(0) ?? '', sorted.at(-1) ?? ''];
  return low === high ? low : `${low} to ${high}`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
