import { isMainThread } from 'node:worker_threads';
import { systemClock } from '../../../src/engine/system-clock.ts';
import { type MetricsServer, openMetricsServer } from '../../setup/metrics-server.ts';
import { store } from '../../store/store.ts';
import { warn } from '../warn.ts';
import { apiCopies } from './api-copies.ts';
import { telemetryWish } from './environment.ts';
import { FLUSH_LIMIT, flushAtExit } from './exit.ts';
import { giveWay } from './give-way.ts';
import { isSdkRegistered, loggerProvider } from './registered.ts';

/** Milliseconds after which `/metrics` is opened: an SDK of the app itself may want that very port. */
const OPEN_AFTER = 500;

/** Starts an SDK where the environment asks for one and none is registered. One that the app starts later replaces it. */
export async function startSdk(): Promise<void> {
  const wish = telemetryWish(process.env);
  if (!wish.sdk || isSdkRegistered()) return;
  const setup = await import('../../setup/index.ts').catch(() => undefined);
  if (setup === undefined) {
    warn(
      'RETRYSCOPE_NO_SDK',
      'OTEL_ variables ask for telemetry, but the SDK is not installed: npm install @opentelemetry/sdk-node @opentelemetry/sdk-trace @opentelemetry/sdk-metrics @opentelemetry/resources @opentelemetry/exporter-prometheus @opentelemetry/exporter-trace-otlp-proto @opentelemetry/exporter-metrics-otlp-proto',
    );
    return;
  }
  const copies = await apiCopies();
  // It may have been registered while ours was loaded. From here on nothing is waited for until ours can give way.
  if (isSdkRegistered()) return;
  for (const name of wish.unknownExporters) {
    warn(
      'RETRYSCOPE_METRICS_EXPORTER',
      `OTEL_METRICS_EXPORTER=${name} needs an SDK of the app; here it may be prometheus, otlp or console`,
    );
  }
  const metricReaders = wish.otlpMetrics ? [setup.otlpMetricReader()] : [];
  const loggersBefore = loggerProvider(copies);
  const telemetry = setup.startTelemetry({ prometheus: 'mount', shutdownTimeout: FLUSH_LIMIT, metricReaders });
  let server: MetricsServer | undefined;
  // Workers have spans of their own, but there is one port.
  const isServed = wish.metricsServer && isMainThread;
  const cancelOpening = systemClock.timer(
    OPEN_AFTER,
    () => {
      if (isServed) server = openServer(telemetry.metricsHandler);
    },
    'unref',
  );
  const shutdown = async (): Promise<void> => {
    cancelOpening();
    await Promise.all([server?.close(), telemetry.shutdown()]);
  };
  const dismiss = flushAtExit(shutdown);
  giveWay(copies, loggersBefore, () => {
    dismiss();
    // The instruments of the other SDK show the numbers from here on.
    store.readers.delete('producer');
    void shutdown();
    warn(
      'RETRYSCOPE_SDK_REPLACED',
      'The app has started an OpenTelemetry SDK, which takes the place of the one that retryscope/register had started',
    );
  });
}

function openServer(handler: Parameters<typeof openMetricsServer>[1]): MetricsServer | undefined {
  try {
    return openMetricsServer({}, handler);
  } catch (error) {
    warn('RETRYSCOPE_METRICS_PORT', `/metrics is not served: ${(error as RangeError).message}`);
    return undefined;
  }
}
