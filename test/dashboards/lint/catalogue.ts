import { resolveConfig } from '../../../dashboards/src/config.ts';
import { recordingRules } from '../../../dashboards/src/rules.ts';
import { subjects } from '../../../dashboards/src/selectors.ts';
import { LABEL_VALUES, LABELS, labelName, METRICS, type MetricDefinition } from '../../../instrumentation/names.ts';
import type { Selector } from './promql.ts';

/** A series that a query may name: its labels, and the values of those whose set is fixed. */
export interface Known {
  readonly labels: ReadonlySet<string>;
  readonly values: Readonly<Record<string, readonly string[]>>;
  /** The family of the library that it belongs to. */
  readonly family?: string;
}

const PROCESS: readonly string[] = ['job', 'instance'];

/** Every series that a query may name, by its name. */
export const CATALOGUE: ReadonlyMap<string, Known> = new Map([
  ...Object.values(METRICS).flatMap(seriesOf),
  ...recordingRules(resolveConfig()).groups.flatMap(({ rules }) =>
    rules.map(rule => known('record' in rule ? rule.record : rule.alert, ['job', 'instance', 'operation'])),
  ),
  known('up', PROCESS),
  known('scrape_duration_seconds', PROCESS),
  known('target_info', [...PROCESS, 'service_name', 'service_version']),
  known('ALERTS', [...PROCESS, 'alertname', 'alertstate', 'severity', 'long', 'short', ...subjects()]),
]);

/** What is wrong with a selector: its name, its labels, or their values. */
export function faultsOf({ name, matchers }: Selector): string[] {
  const series = name === undefined ? undefined : CATALOGUE.get(name);
  if (name !== undefined && series === undefined) return [`there is no ${name}`];
  return matchers
    .filter(({ label }) => label !== '__name__')
    .flatMap(({ label, op, value }) => {
      if (!(series?.labels ?? new Set(PROCESS)).has(label)) return [`${name} has no ${label}`];
      const allowed = series?.values[label];
      const asked = op.includes('~') ? value.split('|') : [value];
      return asked.filter(one => allowed?.includes(one) === false).map(one => `${name} has no ${label}="${one}"`);
    });
}

/** The labels of what a selector selects. */
export function labelsOf({ name }: Selector): ReadonlySet<string> {
  return (name === undefined ? undefined : CATALOGUE.get(name))?.labels ?? new Set(PROCESS);
}

function known(name: string, labels: readonly string[]): [string, Known] {
  return [name, { labels: new Set(labels), values: {} }];
}

function seriesOf(definition: MetricDefinition): [string, Known][] {
  const { family, kind } = definition;
  const labels = [...PROCESS, ...definition.labels.map(key => labelName(LABELS[key]))];
  const values = Object.fromEntries(
    definition.labels.flatMap(key => {
      const fixed = valuesOf(key, definition);
      return fixed === undefined ? [] : [[labelName(LABELS[key]), fixed]];
    }),
  );
  if (kind !== 'histogram') return [[family, { labels: new Set(labels), values, family }]];
  return ['bucket', 'sum', 'count'].map(part => [
    `${family}_${part}`,
    { labels: new Set(part === 'bucket' ? [...labels, 'le'] : labels), values, family },
  ]);
}

/** The values of a label whose set is fixed; for some labels it is another one in each family. */
function valuesOf(key: keyof typeof LABELS, definition: MetricDefinition): readonly string[] | undefined {
  switch (key) {
    case 'outcome':
    case 'delaySource':
    case 'phase':
    case 'mode':
    case 'decision':
      return LABEL_VALUES[key];
    case 'result':
      return definition === METRICS.breakerCalls ? LABEL_VALUES.breakerResult : LABEL_VALUES.result;
    case 'state':
    case 'to':
      return LABEL_VALUES.breakerState;
    case 'event':
      return definition === METRICS.durableWaits ? LABEL_VALUES.durableWaitEvent : LABEL_VALUES.deadLetterEvent;
    case 'source':
      return definition === METRICS.overflow ? LABEL_VALUES.overflowSource : LABEL_VALUES.faultSource;
    default:
      return undefined;
  }
}
