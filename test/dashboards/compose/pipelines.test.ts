import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ComposeService,
  mountedAt,
  mountsOf,
  optionOf,
  ROOT,
  readYaml,
  serviceNamed,
  services,
  valuesOf,
} from './stack.ts';

interface PrometheusConfig {
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly { job_name: string }[];
  readonly alerting: object;
}

interface CollectorConfig {
  readonly extensions: Readonly<Record<string, object>>;
  readonly receivers: Readonly<Record<string, { protocols: Record<string, { endpoint: string }> }>>;
  readonly processors: Readonly<Record<string, Record<string, unknown>>>;
  readonly exporters: Readonly<Record<string, { endpoint: string } & Record<string, unknown>>>;
  readonly service: {
    readonly extensions: readonly string[];
    readonly pipelines: Readonly<Record<string, Readonly<Record<'receivers' | 'processors' | 'exporters', string[]>>>>;
    readonly telemetry: object;
  };
}

/** The file that a service reads its configuration from. */
const configOf = (name: string, option: string): string =>
  mountedAt(serviceNamed(name), optionOf(serviceNamed(name), option));

const prometheus = readYaml<PrometheusConfig>(configOf('prometheus', '--config.file'));
const collector = readYaml<CollectorConfig>(configOf('collector', '--config'));
const tempo = readYaml<Record<string, object>>(configOf('tempo', '-config.file'));
const loki = readYaml<Record<string, object>>(configOf('loki', '-config.file'));
const demo = serviceNamed('demo').environment ?? {};

describe('Prometheus', () => {
  const targets = valuesOf(prometheus.scrape_configs, 'targets').flat() as string[];

  it.each(targets)('scrapes %s, which a service of the stack serves', target => {
    const [host = '', port] = target.split(':');
    expect(portsOf(host === 'localhost' ? 'prometheus' : host)).toContain(Number(port));
  });

  it('scrapes the demo where other containers can reach it', () => {
    expect(targets).toContain(`demo:${demo.OTEL_EXPORTER_PROMETHEUS_PORT}`);
    expect(demo.OTEL_EXPORTER_PROMETHEUS_HOST).toBe('0.0.0.0');
  });

  it('sends alerts to the Alertmanager of the stack', () => {
    expect(valuesOf(prometheus.alerting, 'targets').flat()).toEqual(['alertmanager:9093']);
    expect(portsOf('alertmanager')).toContain(9093);
  });

  it.each(prometheus.rule_files)('is given its rules: %s', file => {
    expect(existsSync(join(ROOT, mountedAt(serviceNamed('prometheus'), `/etc/prometheus/${file}`)))).toBe(true);
  });

  it('keeps its data in a volume', () => {
    expect(volumeAt(serviceNamed('prometheus'), optionOf(serviceNamed('prometheus'), '--storage.tsdb.path'))).toBe(
      'prometheus-data',
    );
    expect(volumeAt(serviceNamed('alertmanager'), optionOf(serviceNamed('alertmanager'), '--storage.path'))).toBe(
      'alertmanager-data',
    );
  });
});

describe('the collector', () => {
  const pipelines = Object.entries(collector.service.pipelines);

  it('has a pipeline for spans and one for log records', () => {
    expect(pipelines.map(([signal]) => signal)).toEqual(['traces', 'logs']);
  });

  it.each(['receivers', 'processors', 'exporters'] as const)('uses the %s that are defined, and no others', kind => {
    const used = pipelines.flatMap(([, pipeline]) => pipeline[kind]);
    expect([...new Set(used)].sort()).toEqual(Object.keys(collector[kind]).sort());
  });

  it('starts the extension that its health check asks', () => {
    expect(collector.service.extensions).toEqual(Object.keys(collector.extensions));
    expect(collector.service.extensions).toEqual(['health_check']);
  });

  it('drops nothing on purpose, and refuses before its container is full', () => {
    for (const [, { processors }] of pipelines) expect(processors).toEqual(['memory_limiter', 'batch']);
    const { limit_mib, spike_limit_mib } = collector.processors.memory_limiter ?? {};
    expect(Number(limit_mib)).toBeLessThan(Number.parseInt(serviceNamed('collector').mem_limit ?? '', 10));
    expect(Number(spike_limit_mib)).toBeLessThan(Number(limit_mib));
  });

  it('goes on trying while Tempo or Loki is away', () => {
    for (const { retry_on_failure, sending_queue } of Object.values(collector.exporters)) {
      expect(retry_on_failure).toEqual({ max_elapsed_time: '0s' });
      // On, unless it is turned off.
      expect(sending_queue).toBeUndefined();
    }
  });

  it('is where the demo sends to, and can be reached there', () => {
    const { port, hostname, protocol } = new URL(demo.OTEL_EXPORTER_OTLP_ENDPOINT ?? '');
    expect({ hostname, protocol }).toEqual({ hostname: 'collector', protocol: 'http:' });
    expect(demo.OTEL_EXPORTER_OTLP_PROTOCOL).toBe('http/protobuf');
    expect(collector.receivers.otlp?.protocols).toEqual({ http: { endpoint: `0.0.0.0:${port}` } });
  });

  it('sends spans to where Tempo takes them', () => {
    const [endpoint] = valuesOf(valuesOf(tempo.distributor, 'grpc'), 'endpoint') as string[];
    expect(endpoint).toMatch(/^0\.0\.0\.0:/);
    expect(collector.exporters['otlp_grpc/tempo']).toMatchObject({
      endpoint: endpoint?.replace('0.0.0.0', 'tempo'),
      tls: { insecure: true },
    });
  });

  it('sends log records to where Loki takes them', () => {
    const [port] = valuesOf(loki.server, 'http_listen_port');
    expect(collector.exporters['otlp_http/loki']?.endpoint).toBe(`http://loki:${port}/otlp`);
  });
});

describe.each([
  ['Tempo', 'tempo', tempo],
  ['Loki', 'loki', loki],
])('%s', (_name, service, config) => {
  it('keeps everything in its volume', () => {
    const paths = strings(config).filter(text => text.startsWith('/'));
    expect(paths.length).toBeGreaterThan(1);
    for (const path of paths) expect(volumeAt(serviceNamed(service), path)).toBe(`${service}-data`);
  });

  it('forgets after two days', () => {
    const kept = [...valuesOf(config, 'block_retention'), ...valuesOf(config, 'retention_period')];
    expect(kept.length).toBeGreaterThan(0);
    for (const time of kept) expect(time).toBe('48h');
  });
});

describe('Tempo', () => {
  it('has no section that version 3 took away', () => {
    const gone = ['ingester', 'ingester_client', 'compactor', 'metrics_generator_client'];
    expect(Object.keys(tempo).filter(section => gone.includes(section))).toEqual([]);
  });

  it('has one part plan what is deleted, and the other do it, at the same age', () => {
    expect(valuesOf(tempo.backend_scheduler, 'block_retention')).toEqual(
      valuesOf(tempo.backend_worker, 'block_retention'),
    );
  });
});

describe('Loki', () => {
  it('keeps the attributes of a record, which its dashboards and links ask for', () => {
    expect(valuesOf(loki.schema_config, 'configs')).toEqual([
      [expect.objectContaining({ schema: 'v13', store: 'tsdb', object_store: 'filesystem' })],
    ]);
    expect(valuesOf(loki, 'allow_structured_metadata')).toEqual([]);
  });

  it('deletes what is old, and knows where it notes that', () => {
    expect(loki.compactor).toMatchObject({ retention_enabled: true, delete_request_store: 'filesystem' });
  });
});

describe('Kafka', () => {
  const { environment = {}, ports = [] } = serviceNamed('kafka');
  const listeners = (text = ''): Map<string, string> =>
    new Map(text.split(',').map(listener => listener.split('://') as [string, string]));

  it('tells containers and this machine the address that each can reach', () => {
    const advertised = listeners(environment.KAFKA_ADVERTISED_LISTENERS);
    expect([...advertised.keys()]).toEqual(['STACK', 'MACHINE']);
    expect(advertised.get('STACK')).toBe(`kafka${listeners(environment.KAFKA_LISTENERS).get('STACK')}`);
    const [published] = ports.map(port => /^127\.0\.0\.1:(.*):(\d+)$/.exec(port));
    expect(advertised.get('MACHINE')).toBe(`localhost:${published?.[1]}`);
    expect(listeners(environment.KAFKA_LISTENERS).get('MACHINE')).toBe(`:${published?.[2]}`);
  });

  it('knows a protocol for each listener', () => {
    const known = environment.KAFKA_LISTENER_SECURITY_PROTOCOL_MAP?.split(',').map(pair => pair.split(':')[0]);
    expect(known?.toSorted()).toEqual([...listeners(environment.KAFKA_LISTENERS).keys()].sort());
  });

  it('keeps its data in a volume', () => {
    expect(volumeAt(serviceNamed('kafka'), environment.KAFKA_LOG_DIRS ?? '')).toBe('kafka-data');
  });
});

it('shares the Redis of the stack with the demo', () => {
  const url = new URL(demo.REDIS_URL?.replace(/\$\{REDIS_PASSWORD:\?.*\}/, 'secret') ?? '');
  expect(url).toMatchObject({ protocol: 'redis:', hostname: 'redis', port: '6379', password: 'secret' });
  expect(Object.keys(serviceNamed('demo').depends_on ?? {})).toContain('redis');
});

/** The ports that a service listens on: those that are published, and the one for the metrics of the collector. */
function portsOf(name: string): number[] {
  const [, service] = services.find(([candidate]) => candidate === name) ?? [];
  const published = (service?.ports ?? []).map(port => Number(port.split(':').at(-1)));
  return name === 'collector' ? [...published, ...metricsPorts()] : published;
}

function metricsPorts(): number[] {
  const readers = valuesOf(collector.service.telemetry, 'prometheus') as { host: string; port: number }[];
  return readers.filter(({ host }) => host === '0.0.0.0').map(({ port }) => port);
}

/** The named volume that a path of a container lies in. */
function volumeAt(service: ComposeService, path: string): string | undefined {
  return mountsOf(service).find(({ target }) => path === target || path.startsWith(`${target}/`))?.source;
}

function strings(document: unknown): string[] {
  if (typeof document === 'string') return [document];
  if (typeof document !== 'object' || document === null) return [];
  return Object.values(document).flatMap(strings);
}
