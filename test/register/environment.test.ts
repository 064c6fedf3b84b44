import { telemetryWish } from '../../instrumentation/register/sdk/environment.ts';

const NOTHING = { sdk: false, metricsServer: false, otlpMetrics: false, unknownExporters: [] };

describe('what the environment asks for', () => {
  it.each<[Record<string, string>, Partial<typeof NOTHING>]>([
    [{}, {}],
    [{ OTEL_SERVICE_NAME: 'checkout', OTEL_EXPORTER_PROMETHEUS_HOST: '0.0.0.0' }, {}],
    [{ OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: ' none ', OTEL_LOGS_EXPORTER: '' }, {}],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, { sdk: true }],
    [{ OTEL_LOGS_EXPORTER: 'console' }, { sdk: true }],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' }, { sdk: true }],
    [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://collector:4318/v1/metrics' }, { sdk: true }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }, { sdk: true, otlpMetrics: true }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_METRICS_EXPORTER: 'none' }, { sdk: true }],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_EXPORTER_PROMETHEUS_PORT: '9464' },
      { sdk: true, metricsServer: true },
    ],
    [{ OTEL_METRICS_EXPORTER: 'Prometheus' }, { sdk: true, metricsServer: true }],
    [{ OTEL_EXPORTER_PROMETHEUS_PORT: '9464' }, { sdk: true, metricsServer: true }],
    [{ OTEL_EXPORTER_PROMETHEUS_PORT: '9464', OTEL_METRICS_EXPORTER: 'none' }, { sdk: true }],
    [{ OTEL_EXPORTER_PROMETHEUS_PORT: '9464', OTEL_SDK_DISABLED: 'True' }, { metricsServer: true }],
  ])('%j', (env, wish) => {
    expect(telemetryWish(env)).toEqual({ ...NOTHING, ...wish });
  });

  it('names the exporters of metrics that it cannot have', () => {
    expect(telemetryWish({ OTEL_METRICS_EXPORTER: 'otlp, statsd, prometheus' })).toEqual({
      ...NOTHING,
      sdk: true,
      metricsServer: true,
      unknownExporters: ['statsd'],
    });
  });
});
