import type { DashboardsConfig, Window } from './config.ts';
import { scaled, seconds } from './duration.ts';
import { runbook } from './links.ts';
import type { PanelSpec } from './panel-spec.ts';
import { inJob } from './selectors.ts';
import { label, RECORDED } from './series.ts';

/** What an objective is for. */
const MONTH = '30d';

/** Panels about the objective for retries. They read recorded series, which know no instance. */
export function objectivePanels(config: DashboardsConfig): PanelSpec[] {
  const operation = label('operation');
  const fastest = Math.max(...config.windows.map(({ factor }) => factor));
  const month = seconds(MONTH) / config.timeScale;
  const [burn, left] = terms(config);
  const noValue = 'no calls, or rules not loaded';
  const links = [runbook(config, 'RetryBudgetBurn')];
  return [
    {
      kind: 'lines',
      title: 'Burn rate',
      description: `How many times faster than its objective an operation retries. At 1 the allowance of a month lasts a month; at ${fastest} somebody is told at once. Where it is above 1, find the error in Operation.`,
      unit: 'none',
      width: 12,
      thresholds: { worse: 'high', warn: Math.min(1, fastest), bad: fastest },
      queries: (['5m', '1h', '6h', '3d'] as const).map(window => ({
        expr: burn(window),
        legend: `{{${operation}}} over ${window}`,
      })),
      noValue,
      links,
    },
    {
      kind: 'stat',
      title: 'Left of the month',
      description:
        'What is left of the retries that the objective allows for the last 30 days, in the worst operation; of fewer days, where there are no more data. Below nothing: stop adding retries, and cure the cause.',
      unit: 'percentunit',
      width: 6,
      thresholds: { worse: 'low', warn: 0.5, bad: 0 },
      queries: [{ expr: `min(${left})`, instant: 'on' }],
      noValue,
      links,
    },
    {
      kind: 'stat',
      title: 'Time until it is used up',
      description:
        'How long the allowance of the month lasts at the pace of the last hour, in the operation that is out of it first. Days: plan the cure. Hours: find the error now, or shed load.',
      unit: 's',
      width: 6,
      thresholds: { worse: 'low', warn: (3 * month) / fastest, bad: month / fastest },
      queries: [{ expr: `min(clamp_min(${left}, 0) * ${month} / (${burn('1h')} > 0))`, instant: 'on' }],
      noValue: 'nothing uses it up',
      links,
    },
  ];
}

/** The burn rate over a window, and what is left of a month; by operation. */
function terms(config: DashboardsConfig): [burn: (window: Window) => string, left: string] {
  const { jobLabel, objective, timeScale } = config;
  const operation = label('operation');
  const recorded = (name: string): string => `${name}{${inJob(config)}, ${operation}=~"$operation"}`;
  const allowed =
    objective === 'exported'
      ? `on (${jobLabel}, ${operation}) group_left () (${recorded(RECORDED.objective)} > 0)`
      : String(objective);
  // Apart, so that an hour with few calls counts for little.
  const average = (name: string): string => `avg_over_time(${recorded(name)}[${scaled(MONTH, timeScale)}])`;
  const used = `${average(RECORDED.retries('5m'))} / (${average(RECORDED.calls('5m'))} > 0)`;
  return [window => `${recorded(RECORDED.retriesPerCall(window))} / ${allowed}`, `1 - ${used} / ${allowed}`];
}
