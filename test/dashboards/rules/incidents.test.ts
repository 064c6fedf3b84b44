import { join } from 'node:path';
import { stringify } from 'yaml';
import { DEFAULTS, type Window } from '../../../dashboards/src/config.ts';
import { seconds } from '../../../dashboards/src/duration.ts';
import { RULES } from './scenarios.ts';
import { expectContent, testEachWith, withFiles } from './tools.ts';

/** An operation that made no retries for days, and then `ratio` per call for some minutes, ten calls a second. */
interface Incident {
  readonly ratio: number;
  readonly minutes: number;
  readonly objective: number;
  /** Minutes from the onset to each burn-rate alert; those that are not named never fire. */
  readonly alerts: Partial<Record<Window, number>>;
}

// With three attempts, 2 retries per call are a total outage.
const INCIDENTS: readonly Incident[] = [
  { ratio: 2, minutes: 180, objective: 0.1, alerts: { '1h': 46, '6h': 124 } },
  { ratio: 2, minutes: 180, objective: 0.05, alerts: { '1h': 24, '6h': 70, '1d': 171, '3d': 288 } },
  { ratio: 2, minutes: 180, objective: 0.02, alerts: { '1h': 11, '6h': 37, '1d': 106, '3d': 226 } },
  { ratio: 2, minutes: 180, objective: 0.01, alerts: { '1h': 7, '6h': 26, '1d': 84, '3d': 204 } },
  { ratio: 0.3, minutes: 600, objective: 0.1, alerts: {} },
  { ratio: 0.3, minutes: 600, objective: 0.02, alerts: { '1h': 62, '6h': 159, '1d': 351, '3d': 471 } },
  { ratio: 0.05, minutes: 2000, objective: 0.02, alerts: { '3d': 1911 } },
  { ratio: 2, minutes: 10, objective: 0.02, alerts: { '1h': 11 } },
];

/** A run of promtool: what it needs of history for these windows, and how sharp it sees. */
interface Run {
  readonly windows: readonly Window[];
  readonly history: number;
  readonly evaluation: number;
  readonly tolerance: number;
}

// Every half minute, as in production, would take minutes.
const RUNS: Readonly<Record<string, Run>> = {
  'the pages': { windows: ['1h', '6h'], history: 360, evaluation: 1, tolerance: 3 },
  'the tickets': { windows: ['1d', '3d'], history: 4320, evaluation: 10, tolerance: 15 },
};

it.each(INCIDENTS)(
  'expects of $ratio retries per call for $minutes min at $objective what the windows come to',
  incident => {
    const computed = DEFAULTS.windows.flatMap(window => {
      const minutes = minutesTo(incident, window);
      return minutes === undefined ? [] : [[window.long, minutes] as const];
    });
    expect(Object.keys(incident.alerts)).toEqual(computed.map(([long]) => long));
    for (const [long, minutes] of computed) expect(Math.abs((incident.alerts[long] ?? 0) - minutes)).toBeLessThan(4);
  },
);

testEachWith('promtool', 'incidents raise %s when they should', Object.entries(RUNS), run => {
  withFiles({ 'incidents.yml': stringify(scenario(run), { aliasDuplicateObjects: false }) }, folder =>
    expectContent('promtool', ['test', 'rules', join(folder, 'incidents.yml')]),
  );
});

/** The arithmetic: the long window has to fill up to the threshold, and both have to stay above it for a while. */
function minutesTo(
  { ratio, minutes, objective }: Incident,
  { long, short, factor, for: lasting }: (typeof DEFAULTS.windows)[number],
): number | undefined {
  const share = (factor * objective) / ratio;
  const reached = inMinutes(long) * share;
  const fires = reached + inMinutes(lasting);
  const isOver = minutes + inMinutes(short) * (1 - share);
  return share < 1 && reached <= minutes && fires <= isOver ? fires : undefined;
}

function scenario(run: Run): object {
  const length = run.history + Math.max(...INCIDENTS.filter(concerns(run)).map(({ minutes }) => minutes)) + 200;
  return {
    ...RULES,
    evaluation_interval: `${run.evaluation * 60}s`,
    tests: [
      {
        interval: '1m',
        input_series: INCIDENTS.filter(concerns(run)).flatMap(incident => series(incident, run, length)),
        promql_expr_test: INCIDENTS.filter(concerns(run)).flatMap(incident =>
          run.windows.map(window => detection(incident, window, run, length)),
        ),
      },
    ],
  };
}

/** Those that are far too long for the windows of hours are left to the windows of days. */
function concerns({ windows }: Run): (incident: Incident) => boolean {
  return ({ minutes, alerts }) => minutes <= 600 || windows.some(window => alerts[window] !== undefined);
}

function series(incident: Incident, { history }: Run, length: number): object[] {
  const { ratio, minutes } = incident;
  const labels = `job="shop", instance="a", operation="${nameOf(incident)}"`;
  const made = 600 * ratio;
  return [
    { series: `retry_calls_total{${labels}, outcome="success"}`, values: `0+600x${length}` },
    {
      series: `retry_retries_total{${labels}, delay_source="backoff"}`,
      values: `0x${history - 1} 0+${made}x${minutes - 1} ${made * minutes}x${length - history - minutes}`,
    },
    { series: `retry_objective_ratio{${labels}}`, values: `${incident.objective}x${length}` },
  ];
}

/** That the first moment at which the alert fires is within the tolerance, or that there is none. */
function detection(incident: Incident, window: Window, { history, tolerance }: Run, length: number): object {
  const firing = `ALERTS{alertname="RetryBudgetBurn", alertstate="firing", operation="${nameOf(incident)}", long="${window}"}`;
  const expected = incident.alerts[window];
  if (expected === undefined) return { expr: `max_over_time(${firing}[${length}m])`, eval_time: `${length}m` };
  const minutes = `min(min_over_time(timestamp(${firing})[${length}m:1m])) / 60 - ${history}`;
  return {
    expr: `count(${minutes} > ${expected - tolerance} < ${expected + tolerance})`,
    eval_time: `${length}m`,
    exp_samples: [{ labels: '{}', value: 1 }],
  };
}

function nameOf({ ratio, minutes, objective }: Incident): string {
  return `${ratio} for ${minutes} min at ${objective}`;
}

function inMinutes(duration: string): number {
  return seconds(duration) / 60;
}
