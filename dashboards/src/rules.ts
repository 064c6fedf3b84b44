import { type DashboardsConfig, WINDOWS, type Window } from './config.ts';
import { scaled, seconds } from './duration.ts';
import type { RecordingRule, RuleFile } from './rule-file.ts';
import { label, noneOf, OUTCOMES, oneOf, RECORDED, series } from './series.ts';

/**
 * The recorded series that alerts and burn-rate panels read. Numerators and denominators are recorded apart: an average
 * of ratios would count a quiet minute as much as a busy one.
 */
export function recordingRules(config: DashboardsConfig): RuleFile {
  return {
    groups: [
      { name: 'retryscope-rates', interval: evaluation(config), rules: rates(config) },
      { name: 'retryscope-ratios', interval: evaluation(config), rules: ratios(config) },
      { name: 'retryscope-plain', interval: evaluation(config), rules: plain(config) },
    ],
  };
}

/** How often rules are evaluated: once a minute would make the alerts of five minutes late by a fifth. */
export function evaluation({ timeScale }: DashboardsConfig): string {
  return scaled('30s', timeScale);
}

/** From here on a window is averaged from that of five minutes, which costs a hundredth of reading every sample. */
const AVERAGED_FROM = seconds('1d');

function rates(config: DashboardsConfig): RecordingRule[] {
  const { by, range } = terms(config);
  const rate = (selector: string, window: Window): string => `sum by (${by}) (rate(${selector}[${range(window)}]))`;
  const over = (record: (window: Window) => string, selector: string): RecordingRule[] =>
    WINDOWS.map(window => ({
      record: record(window),
      expr:
        seconds(window) < AVERAGED_FROM ? rate(selector, window) : `avg_over_time(${record('5m')}[${range(window)}])`,
    }));
  return [
    ...over(RECORDED.calls, series(config, 'calls')),
    // A hedge is made on purpose, and before anything has failed.
    ...over(RECORDED.retries, series(config, 'retries', [noneOf('delaySource', ['hedge'])])),
    { record: RECORDED.waiting, expr: rate(series(config, 'delay', [], 'sum'), '5m') },
    // Not only the latest: a scrape that fails must not begin the three hours of the slowest alert anew.
    {
      record: RECORDED.objective,
      expr: `max by (${by}) (max_over_time(${series(config, 'objectiveRatio')}[${range('5m')}]))`,
    },
  ];
}

function ratios(config: DashboardsConfig): RecordingRule[] {
  const { by, range } = terms(config);
  const rate = (selector: string): string => `sum by (${by}) (rate(${selector}[${range('5m')}]))`;
  const calls = (...matchers: string[]): string => rate(series(config, 'calls', matchers));
  return [
    ...WINDOWS.map(window => ({
      record: RECORDED.retriesPerCall(window),
      expr: `${RECORDED.retries(window)} / (${RECORDED.calls(window)} > 0)`,
    })),
    {
      record: RECORDED.exhausted,
      expr: `${calls(oneOf('outcome', OUTCOMES.exhausted))} / (${RECORDED.calls('5m')} > 0)`,
    },
    {
      record: RECORDED.recovered,
      expr: `${calls(oneOf('outcome', OUTCOMES.recovered))} / (${calls(oneOf('outcome', OUTCOMES.retried))} > 0)`,
    },
    {
      // Of all calls, those too that a circuit ended: their attempts are among the others.
      record: RECORDED.amplification,
      expr: `${rate(series(config, 'attempts'))} / (${RECORDED.calls('5m')} > 0)`,
    },
    {
      // A delay counts from its start, and the time of a call at its end: at the onset there is more of it.
      record: RECORDED.delayShare,
      expr: `clamp_max(${RECORDED.waiting} / (${rate(series(config, 'callDuration', [], 'sum'))} > 0), 1)`,
    },
  ];
}

/** By instance, so that `rate()` over them sees each restart. */
function plain(config: DashboardsConfig): RecordingRule[] {
  const by = `${config.jobLabel}, ${config.instanceLabel}, ${label('operation')}`;
  const count = (matcher: string): string => `sum by (${by}) (${series(config, 'calls', [matcher])})`;
  return [
    { record: RECORDED.success, expr: count(oneOf('outcome', OUTCOMES.succeeded)) },
    { record: RECORDED.failure, expr: count(noneOf('outcome', OUTCOMES.succeeded)) },
  ];
}

function terms({ jobLabel, timeScale }: DashboardsConfig): { by: string; range: (window: string) => string } {
  return { by: `${jobLabel}, ${label('operation')}`, range: window => scaled(window, timeScale) };
}
