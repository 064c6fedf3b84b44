import type { AlertName } from './alert-names.ts';
import type { DashboardsConfig } from './config.ts';
import { scaled } from './duration.ts';
import { label } from './series.ts';

/**
 * The configuration of the Alertmanager around the demo: urgent alerts go to `page`, the others to `ticket`. Its
 * receivers send nothing anywhere; put your own in.
 */
export function alertmanagerConfig({ jobLabel, severities, timeScale }: DashboardsConfig): object {
  const after = (text: string): string => scaled(text, timeScale);
  return {
    route: {
      receiver: 'ticket',
      group_by: ['alertname', jobLabel, label('operation')],
      group_wait: after('30s'),
      group_interval: after('5m'),
      repeat_interval: after('12h'),
      routes: [
        {
          receiver: 'page',
          matchers: [severity(severities.critical)],
          group_wait: after('10s'),
          repeat_interval: after('4h'),
        },
      ],
    },
    inhibit_rules: [
      // Who is paged for the fast burn need not read of the slow one.
      {
        source_matchers: [named('RetryBudgetBurn'), severity(severities.critical)],
        target_matchers: [named('RetryBudgetBurn'), severity(severities.warning)],
        equal: [jobLabel, label('operation')],
      },
      // An open circuit makes retries useless. A page is never silenced by it: the circuit belongs to one dependency in
      // one process, the job calls others as well.
      {
        source_matchers: [named('CircuitBreakerOpenTooLong')],
        target_matchers: [named('RetryNotHelping')],
        equal: [jobLabel],
      },
    ],
    receivers: [{ name: 'page' }, { name: 'ticket' }],
  };
}

function named(alert: AlertName): string {
  return `alertname="${alert}"`;
}

function severity(value: string): string {
  return `severity=${JSON.stringify(value)}`;
}
