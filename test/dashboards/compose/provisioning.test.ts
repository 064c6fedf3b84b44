import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { ATTRIBUTES, LABELS, LOG_FIELDS, labelName, METRICS } from '../../../instrumentation/names.ts';
import { mountedAt, ROOT, read, readYaml, serviceNamed, valuesOf } from './stack.ts';

interface DataSource {
  readonly name: string;
  readonly uid: string;
  readonly type: string;
  readonly access: string;
  readonly url: string;
  readonly isDefault?: boolean;
  readonly editable: boolean;
  readonly jsonData: Readonly<Record<string, unknown>>;
}

interface Dashboard {
  readonly uid: string;
  readonly editable: boolean;
  readonly templating: { readonly list: readonly { name: string; type: string; query: unknown }[] };
}

interface Link {
  readonly datasourceUid: string;
  readonly tags: readonly { key: string; value: string }[];
  readonly query: string;
  readonly queries: readonly { name: string; query: string }[];
}

const SOURCES_FILE = 'dashboards/provisioning/datasources/retryscope.yml';
const grafana = serviceNamed('grafana');
// As Grafana reads it, with its own way to write a dollar sign resolved.
const sources = unescaped(readYaml<{ datasources: DataSource[] }>(SOURCES_FILE).datasources);
const byType = (type: string): DataSource => {
  const [source, ...others] = sources.filter(candidate => candidate.type === type);
  if (source === undefined || others.length > 0) throw new Error(`there is not one data source of type ${type}`);
  return source;
};
const dashboards = readdirSync(join(ROOT, 'dashboards/grafana')).map((name): [name: string, dashboard: Dashboard] => [
  name,
  JSON.parse(read(`dashboards/grafana/${name}`)),
]);

describe('data sources', () => {
  it('are the four that there are, by uids of their own', () => {
    expect(sources.map(({ uid, type }) => [uid, type])).toEqual([
      ['prometheus', 'prometheus'],
      ['tempo', 'tempo'],
      ['loki', 'loki'],
      ['alertmanager', 'alertmanager'],
    ]);
    expect(sources.filter(({ isDefault }) => isDefault).map(({ uid }) => uid)).toEqual(['prometheus']);
  });

  it.each(sources.map(source => [source.uid, source] as const))('cannot be changed in a browser: %s', (_, source) => {
    expect(source).toMatchObject({ editable: false, access: 'proxy' });
  });

  it.each([
    ['prometheus', 'http://prometheus:9090'],
    ['tempo', 'http://tempo:3200'],
    ['loki', 'http://loki:3100'],
    ['alertmanager', 'http://alertmanager:9093'],
  ])('ask %s where it listens', (type, url) => {
    expect(byType(type).url).toBe(url);
    expect(serviceNamed(new URL(url).hostname)).toBeDefined();
  });

  it('name only each other', () => {
    const named = valuesOf(sources, 'datasourceUid');
    expect(named.length).toBeGreaterThan(3);
    expect(sources.map(({ uid }) => uid)).toEqual(expect.arrayContaining(named));
  });

  it('write every dollar sign twice, or Grafana would put a variable in', () => {
    const texts = strings(readYaml(SOURCES_FILE));
    expect(texts.filter(text => text.includes('$$')).length).toBeGreaterThan(3);
    for (const text of texts) expect(text.replaceAll('$$', '')).not.toContain('$');
  });
});

describe('from metrics', () => {
  it('takes the interval for rates from how often Prometheus scrapes', () => {
    const { global } = readYaml<{ global: { scrape_interval: string } }>('dashboards/prometheus/prometheus.yml');
    expect(byType('prometheus').jsonData.timeInterval).toBe(global.scrape_interval);
  });

  it('leads to the trace of an exemplar', () => {
    expect(byType('prometheus').jsonData.exemplarTraceIdDestinations).toEqual([
      { name: LOG_FIELDS.traceId, datasourceUid: byType('tempo').uid, urlDisplayLabel: 'Trace' },
    ]);
    expect(serviceNamed('prometheus').command).toContain('--enable-feature=exemplar-storage');
  });
});

describe('from traces', () => {
  const { tracesToLogsV2, tracesToMetrics } = byType('tempo').jsonData as Record<string, Link>;

  it('leads to the log lines of a trace', () => {
    expect(tracesToLogsV2?.datasourceUid).toBe(byType('loki').uid);
    // Loki makes this label of the name of a service.
    expect(tracesToLogsV2?.tags).toEqual([{ key: 'service.name', value: 'service_name' }]);
    expect(tracesToLogsV2?.query).toBe(`{\${__tags}} | ${LOG_FIELDS.traceId}="\${__trace.traceId}"`);
  });

  it('leads from a span to the metrics of its operation', () => {
    expect(tracesToMetrics?.datasourceUid).toBe(byType('prometheus').uid);
    expect(tracesToMetrics?.tags).toEqual([{ key: ATTRIBUTES.operation, value: labelName(LABELS.operation) }]);
    expect(tracesToMetrics?.queries).toHaveLength(3);
  });

  it.each(tracesToMetrics?.queries.map(({ name, query }) => [name, query] as const) ?? [])(
    'asks for families and labels that there are: %s',
    (_name, query) => {
      const { metrics, labels } = namesIn(query.replace('$__tags', 'operation="pay"'));
      const definitions = metrics.map(metric =>
        Object.values(METRICS).find(({ family }) => family === metric.replace(/_bucket$/, '')),
      );
      expect(metrics).toHaveLength(1);
      for (const definition of definitions) {
        const known = definition?.labels.map(key => labelName(LABELS[key])) ?? [];
        expect([...known, 'le']).toEqual(expect.arrayContaining(labels));
      }
    },
  );
});

describe('from log lines', () => {
  it('leads to the trace of a line', () => {
    expect(byType('loki').jsonData.derivedFields).toEqual([
      {
        name: 'Trace',
        matcherType: 'label',
        matcherRegex: LOG_FIELDS.traceId,
        datasourceUid: byType('tempo').uid,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own syntax.
        url: '${__value.raw}',
        urlDisplayLabel: 'Trace',
      },
    ]);
  });
});

describe('dashboards', () => {
  it.each(dashboards)('finds a data source for each that may be chosen in %s', (_name, { templating }) => {
    const choices = templating.list.filter(({ type }) => type === 'datasource');
    expect(choices.length).toBeGreaterThan(0);
    for (const { name, query } of choices) {
      expect(name).toBe(`${query}_datasource`);
      expect(byType(String(query))).toBeDefined();
    }
  });

  it.each(dashboards)('names no data source by itself in %s', (_name, dashboard) => {
    const used = valuesOf(dashboard, 'datasource') as { type?: string; uid?: string }[];
    expect(used.length).toBeGreaterThan(0);
    for (const { type, uid } of used) {
      // Grafana's own, for lists of dashboards and the like.
      if (type !== 'grafana' && type !== 'datasource') expect(uid).toMatch(/^\$\{?\w+_datasource\}?$/);
    }
  });

  it.each(dashboards)('cannot be changed in a browser: %s', (_name, { editable }) => {
    expect(editable).toBe(false);
    const { providers } = readYaml<{ providers: object[] }>('dashboards/provisioning/dashboards/retryscope.yml');
    expect(providers).toMatchObject([{ type: 'file', allowUiUpdates: false, disableDeletion: true }]);
  });

  it('are read from where they are mounted, and one of them is the first to be seen', () => {
    const [path] = valuesOf(readYaml('dashboards/provisioning/dashboards/retryscope.yml'), 'path');
    expect(mountedAt(grafana, String(path))).toBe('dashboards/grafana');
    const home = String(grafana.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH);
    expect(dashboards.map(([name]) => `dashboards/grafana/${name}`)).toContain(mountedAt(grafana, home));
  });

  it('are provided where Grafana looks for data sources and dashboards', () => {
    expect(mountedAt(grafana, '/etc/grafana/provisioning/datasources/retryscope.yml')).toBe(SOURCES_FILE);
    expect(mountedAt(grafana, '/etc/grafana/provisioning/dashboards/retryscope.yml')).toBe(
      'dashboards/provisioning/dashboards/retryscope.yml',
    );
  });
});

/** What a query of Prometheus asks for. */
function namesIn(query: string): { metrics: string[]; labels: string[] } {
  const found: Record<string, string[]> = { Identifier: [], LabelName: [], '⚠': [] };
  parser.parse(query).iterate({
    enter: ({ name, from, to }) => {
      found[name]?.push(query.slice(from, to));
    },
  });
  expect(found['⚠']).toEqual([]);
  return { metrics: found.Identifier ?? [], labels: found.LabelName ?? [] };
}

function unescaped<T>(document: T): T {
  return JSON.parse(JSON.stringify(document).replaceAll('$$', () => '$'));
}

function strings(document: unknown): string[] {
  if (typeof document === 'string') return [document];
  if (typeof document !== 'object' || document === null) return [];
  return Object.values(document).flatMap(strings);
}
