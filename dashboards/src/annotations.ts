import { AnnotationQueryBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { DashboardsConfig } from './config.ts';
import { SOURCES } from './panel.ts';
import { firing, inJob, scraped, subjects } from './selectors.ts';
import { label, series } from './series.ts';

/** What is marked in the graphs of every dashboard: alerts, and what was released just before. */
export function annotations(config: DashboardsConfig): AnnotationQueryBuilder[] {
  const release = scraped(config, 'target_info', [inJob(config), 'service_version!=""']);
  const library = series(config, 'info', [inJob(config)]);
  return [
    annotation('Firing alerts', 'red', firing(config), '{{alertname}}').tagKeys(
      ['severity', ...subjects(), config.instanceLabel].join(','),
    ),
    annotation(
      'New releases',
      'purple',
      newlyThere(['service_name', 'service_version'], release),
      '{{service_name}} {{service_version}}',
    ),
    annotation(
      'New versions of the library',
      'blue',
      newlyThere([label('version')], library),
      `retryscope {{${label('version')}}}`,
    ),
  ];
}

/** Combinations of labels that were not there ten minutes ago. */
function newlyThere(labels: readonly string[], selector: string): string {
  const count = `count by (${labels.join(', ')})`;
  return `${count} (${selector}) unless ${count} (${selector} offset 10m)`;
}

function annotation(name: string, colour: string, expr: string, title: string): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(SOURCES.prometheus)
    .enable(true)
    .iconColor(colour)
    .expr(expr)
    .titleFormat(title);
}
