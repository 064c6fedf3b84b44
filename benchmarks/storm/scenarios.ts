import { runBernoulli } from './bernoulli.ts';
import { runCollapse } from './collapse.ts';
import { type Contender, type ContenderName, contenders } from './contenders.ts';
import { callsAtTheBottom } from './layers.ts';
import { runStorm, type StormResult, type StormSetting } from './storm.ts';
import { VirtualClock } from './virtual-clock.ts';

/** One setting of the literature, and how contenders fare in it. */
export interface Scenario {
  readonly title: string;
  /** Who is shown beside a policy of one's own. */
  readonly presets: readonly Contender[];
  readonly columns: readonly string[];
  /** What others have published or measured, a cell for each column, by the name of the contender. */
  readonly published: Readonly<Partial<Record<ContenderName, readonly string[]>>>;
  /** How many client processes share the load, where nothing else is asked for; 1 where it makes no difference. */
  readonly processes: number;
  run(contender: Contender, terms: RunTerms): Promise<Outcome>;
}

/** How a scenario is run. */
export interface RunTerms {
  readonly seeds: readonly number[];
  readonly processes: number;
  /** Told after each run of a contender. */
  readonly onRun?: () => void;
}

/** What a contender made of a scenario. */
export interface Outcome {
  readonly cells: readonly string[];
  /** Whether it got through: the dependency recovered, or was not loaded beyond what it can bear. */
  readonly verdict: 'recovers' | 'does_not_recover';
  /** The numbers behind the cells. */
  readonly numbers: readonly object[];
}

/** The names of the scenarios. */
export type ScenarioName = 'hotos' | 'osdi' | 'brooker' | 'collapse' | 'layers';

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

/** Every scenario by its name. */
export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  hotos: storm(
    'HotOS 2021: 280 calls/s on a server for 300/s, one retry, no capacity for 10 s',
    HOTOS,
    1,
    2,
    [
      'none',
      'unlimited',
      'starts20',
      'starts10',
      'starts7',
      'starts5',
      'finagle',
      'windowSuccesses',
      'grpc10',
      'grpc1000',
      'aws5',
      'aws14',
      'successes20',
      'successes10',
      'recommended',
    ],
    {
      none: ['128 to 217'],
      unlimited: ['never'],
      starts20: ['never'],
      starts10: ['never'],
      starts7: ['never'],
      starts5: ['400, never in 1'],
      finagle: ['never'],
      windowSuccesses: ['151 to 248'],
      grpc10: ['128 to 217'],
      grpc1000: ['150 to 238'],
      aws5: ['140 to 222'],
      aws14: ['129 to 218'],
      successes20: ['128 to 217'],
      successes10: ['128 to 217'],
    },
  ),
  osdi: storm(
    'OSDI 2022: 80 calls/s on a server for 100/s, four retries, a fifth of the capacity for 10 s',
    OSDI,
    100,
    5,
    [
      'none',
      'unlimited',
      'jitter',
      'starts10',
      'finagle',
      'grpc10',
      'grpc1000',
      'aws14',
      'successes10',
      'capacity100',
      'shared10',
      'sharedRecommended',
    ],
    {
      none: ['13 to 18', '1.14 to 1.19'],
      unlimited: ['never', '5.39 to 5.48'],
      jitter: ['never', '5.20 to 5.38'],
      starts10: ['88 to 124', '2.50 to 2.80'],
      finagle: ['never', '5.39 to 5.48'],
      grpc10: ['29 to 40', '1.75 to 1.98'],
      grpc1000: ['never', '5.21 to 5.33'],
      aws14: ['184 to 197', '2.94 to 3.25'],
      successes10: ['58 to 71', '2.50 to 2.80'],
      capacity100: ['never', '5.00 to 5.26'],
      shared10: ['16 to 20', '1.11 to 1.20'],
    },
  ),
  brooker: {
    title: 'Brooker 2022: attempts that fail independently; load and success, % of the calls',
    presets: pick(4, ['none', 'unlimited', 'starts10', 'gate10', 'grpc10', 'aws14', 'successes10', 'recommended']),
    columns: FAILURE_RATES.map(rate => `${rate * 100} % fail`),
    published: {
      none: ['100/99', '100/95', '100/90', '100/80', '100/70', '100/50', '100/25', '100/0'],
      unlimited: ['101/100', '105/100', '111/100', '125/100', '142/99', '187/94', '274/68', '400/0'],
      successes10: ['101/100', '105/100', '109/98', '109/87', '108/76', '106/53', '103/26', '101/0'],
      gate10: ['101/100', '105/100', '104/94', '100/80', '100/70', '100/50', '100/25', '100/0'],
    },
    processes: 100,
    run: bernoulli,
  },
  collapse: {
    title: 'Collapse: 40 calls/s, 80 for 5 s, on a service that slows down with every request in it',
    presets: pick(3, ['none', 'unlimited', 'starts10', 'grpc10', 'aws14', 'successes10', 'recommended']),
    columns: ['goodput, calls/s', 'runs that collapsed'],
    published: { none: ['40.7'], unlimited: ['8.2', '4 of 5'], successes10: ['39.8'], starts10: ['39.8'] },
    processes: 1,
    run: collapse,
  },
  layers: {
    title: 'Layers: three layers of retries around a call that fails; calls at the bottom',
    presets: [
      { name: 'four attempts each, nested: both', processes: () => () => ({ maxAttempts: 4, nested: 'both' }) },
      { name: 'four attempts each, nested: inner', processes: () => () => ({ maxAttempts: 4 }) },
    ],
    columns: ['calls'],
    published: {},
    processes: 1,
    run: layers,
  },
};

function pick(maxAttempts: number, names: readonly ContenderName[]): Contender[] {
  const all = contenders(maxAttempts);
  return names.map(name => all[name]);
}

function storm(
  title: string,
  setting: Omit<StormSetting, 'processes'>,
  processes: number,
  maxAttempts: number,
  names: readonly ContenderName[],
  published: Scenario['published'],
): Scenario {
  return {
    title,
    presets: pick(maxAttempts, names),
    columns: ['recovers after, s', 'peak load', 'load at the end'],
    published,
    processes,
    run: async (contender, terms) => {
      const numbers = await perSeed(terms, seed =>
        runStorm({ ...setting, processes: terms.processes }, contender, seed),
      );
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
    cells: numbers.map(({ load, success }) => `${(load * 100).toFixed(0)}/${(success * 100).toFixed(1)}`),
    verdict: numbers.every(({ load }) => load <= 1.25) ? 'recovers' : 'does_not_recover',
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
  const process = contender.processes(new VirtualClock(() => 0.5))();
  const calls = await callsAtTheBottom(3, process);
  onRun?.();
  const { maxAttempts = 3 } = process;
  return {
    cells: [String(calls)],
    verdict: calls <= maxAttempts ? 'recovers' : 'does_not_recover',
    numbers: [{ calls }],
  };
}

async function perSeed<R>({ seeds, onRun }: RunTerms, run: (seed: number) => Promise<R>): Promise<R[]> {
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
