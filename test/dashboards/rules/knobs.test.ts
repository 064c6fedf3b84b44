import { parse } from 'yaml';
import { ALERTS, type AlertName } from '../../../dashboards/src/alert-names.ts';
import { alertmanagerConfig } from '../../../dashboards/src/alertmanager.ts';
import { alertRules } from '../../../dashboards/src/alerts.ts';
import { type DashboardsOptions, DEFAULTS, resolveConfig } from '../../../dashboards/src/config.ts';
import { prometheusConfig } from '../../../dashboards/src/prometheus.ts';
import type { AlertRule } from '../../../dashboards/src/rule-file.ts';
import { recordingRules } from '../../../dashboards/src/rules.ts';
import { metricNames } from './metric-names.ts';

type Touched = readonly AlertName[] | 'every alert' | 'none';

/** For each option another value, the alerts that it changes, and what of it stands in them. */
const KNOBS: Readonly<Record<keyof DashboardsOptions, readonly [DashboardsOptions, Touched, string]>> = {
  // Expressions over recorded series need none, so not every alert changes.
  selector: [
    { selector: 'team="x"' },
    [
      'RetryBudgetTokensLow',
      'RetryBudgetDenied',
      'RetryBudgetDegraded',
      'CircuitBreakerOpenTooLong',
      'CircuitBreakerFlapping',
      'DeadLettersNotStored',
      'DeadLettersGrowing',
      'DeadLetterOldestTooOld',
      'DeadLettersQuarantined',
      'DeadLettersEvicted',
      'RetryMetricsMissing',
      'RetryTelemetryErrors',
      'RetryMetricsOverflow',
    ],
    '{team="x"',
  ],
  jobLabel: [{ jobLabel: 'service' }, 'every alert', '$labels.service'],
  instanceLabel: [
    { instanceLabel: 'pod' },
    ['CircuitBreakerOpenTooLong', 'CircuitBreakerFlapping', 'RetryMetricsMissing'],
    '$labels.pod',
  ],
  objective: [{ objective: 0.03 }, ['RetryBudgetBurn'], '> 0.432 and'],
  // Only asked whether the others can be reached.
  maxAttempts: [{ maxAttempts: 7 }, 'none', ''],
  windows: [
    { windows: [{ severity: 'info', long: '2h', short: '30m', factor: 2.5, for: '7m' }] },
    ['RetryBudgetBurn'],
    '(2.5 * ',
  ],
  timeScale: [{ timeScale: 60 }, 'every alert', 's'],
  // Prometheus itself reads it, and the dashboards.
  scrapeInterval: [{ scrapeInterval: '20s' }, 'none', ''],
  minCallRate: [
    { minCallRate: 0.7 },
    ['RetryBudgetBurn', 'RetryExhaustionHigh', 'RetryDelayDominates', 'RetryOperationSilent'],
    '> 0.7',
  ],
  minRetryRate: [{ minRetryRate: 0.7 }, ['RetryNotHelping'], '> 0.7'],
  stormAmplification: [{ stormAmplification: 2.2 }, ['RetryStorm'], 'above 2.2 it is a storm'],
  stormRetryRate: [{ stormRetryRate: 7 }, ['RetryStorm'], '> 7'],
  exhaustedRatio: [{ exhaustedRatio: 0.07 }, ['RetryExhaustionHigh'], '> 0.07 and'],
  minRecoveredRatio: [{ minRecoveredRatio: 0.7 }, ['RetryNotHelping'], '< 0.7 and'],
  tokensLowRatio: [{ tokensLowRatio: 0.7 }, ['RetryBudgetTokensLow'], '< 0.7 and'],
  breakerOpenFor: [{ breakerOpenFor: '7m' }, ['CircuitBreakerOpenTooLong'], 'not been closed for 7m'],
  breakerFlaps: [{ breakerFlaps: 7 }, ['CircuitBreakerFlapping'], '> 7'],
  delayShare: [{ delayShare: 0.7 }, ['RetryDelayDominates'], '> 0.7 and'],
  deadLetterAge: [{ deadLetterAge: '7d' }, ['DeadLetterOldestTooOld'], '> 604800'],
  runbookBase: [{ runbookBase: 'https://wiki/x/' }, 'every alert', 'https://wiki/x/'],
  grafanaUrl: [{ grafanaUrl: 'https://grafana/x/' }, 'every alert', 'https://grafana/x/d/'],
  severities: [{ severities: { critical: 'P1', warning: 'P2', info: 'P3' } }, 'every alert', 'P'],
};

const before = alertsBy({});

it('turns every knob', () => {
  expect(Object.keys(KNOBS).sort()).toEqual(Object.keys(DEFAULTS).sort());
});

it.each(Object.entries(KNOBS))(
  '%s changes the alerts that it is for, and no others',
  (_name, [options, touched, text]) => {
    const after = alertsBy(options);
    const changed = ALERTS.filter(name => JSON.stringify(after.get(name)) !== JSON.stringify(before.get(name)));
    const expected = touched === 'every alert' ? ALERTS : touched === 'none' ? [] : touched;
    expect([...changed].sort()).toEqual([...expected].sort());
    for (const name of changed) expect(JSON.stringify(after.get(name)).replaceAll('\\"', '"')).toContain(text);
  },
);

it.each<[keyof DashboardsOptions, (options: DashboardsOptions) => unknown]>([
  ['selector', options => recordingRules(resolveConfig(options))],
  ['jobLabel', options => recordingRules(resolveConfig(options))],
  ['instanceLabel', options => recordingRules(resolveConfig(options))],
  ['timeScale', options => recordingRules(resolveConfig(options))],
  ['scrapeInterval', options => prometheusConfig(resolveConfig(options))],
  ['jobLabel', options => alertmanagerConfig(resolveConfig(options))],
  ['severities', options => alertmanagerConfig(resolveConfig(options))],
])('%s changes what is written beside the alerts too', (name, write) => {
  expect(write(KNOBS[name][0])).not.toEqual(write({}));
});

it('puts a selector into every selector, and a label of another name into every place', () => {
  const config = resolveConfig({ selector: 'team="x"', jobLabel: 'service', instanceLabel: 'pod' });
  const rules = [recordingRules(config), alertRules(config)].flatMap(({ groups }) =>
    groups.flatMap(group => group.rules),
  );
  const recorded = new Set(rules.map(rule => ('record' in rule ? rule.record : '')));
  for (const { expr } of rules) {
    for (const metric of metricNames(expr).filter(name => !recorded.has(name))) {
      for (const rest of expr.split(new RegExp(`\\b${metric}\\b`)).slice(1)) expect(rest).toMatch(/^\{team="x"/);
    }
  }
  const names = JSON.stringify(rules).match(/(?<=\$labels\.|[(,] ?)(job|instance)\b/g);
  expect(names).toBeNull();
});

it('divides every duration by the scale, and no threshold', () => {
  const rules = [...alertsBy({ timeScale: 60 }).values()].flat();
  const storm = rules.find(({ alert }) => alert === 'RetryStorm');
  expect(storm).toMatchObject({ for: '5s', expr: expect.stringContaining('> 2 and') });
  const ranges = JSON.stringify([rules, recordingRules(resolveConfig({ timeScale: 60 }))]).match(
    /\[\d+\w+\]|offset \d+\w+/g,
  );
  expect([...new Set(ranges)].sort()).toEqual(
    [
      '[1440s]',
      '[10s]',
      '[15s]',
      '[2s]',
      '[30s]',
      '[360s]',
      '[4320s]',
      '[5s]',
      '[60s]',
      '[120s]',
      'offset 15s',
      'offset 60s',
    ].sort(),
  );
});

function alertsBy(options: DashboardsOptions): Map<string, AlertRule[]> {
  // Through YAML, which is what Prometheus gets.
  const rules = alertRules(resolveConfig(options)).groups.flatMap(group => group.rules as readonly AlertRule[]);
  return Map.groupBy(parse(JSON.stringify(rules)) as AlertRule[], ({ alert }) => alert);
}
