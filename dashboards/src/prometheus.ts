import type { DashboardsConfig } from './config.ts';
import { evaluation } from './rules.ts';

/** The configuration of the Prometheus around the demo. */
export function prometheusConfig(config: DashboardsConfig): object {
  return {
    global: { scrape_interval: config.scrapeInterval, evaluation_interval: evaluation(config) },
    // In this order: the alerts read what the rules record.
    rule_files: ['retry-rules.yml', 'retry-alerts.yml'],
    alerting: { alertmanagers: [{ static_configs: [{ targets: ['alertmanager:9093'] }] }] },
    scrape_configs: [
      job('demo', 'demo:9464'),
      job('prometheus', 'localhost:9090'),
      job('alertmanager', 'alertmanager:9093'),
      job('collector', 'collector:8888'),
    ],
  };
}

function job(name: string, target: string): object {
  return { job_name: name, static_configs: [{ targets: [target] }] };
}
