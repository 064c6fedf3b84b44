import type { NodeSDK } from '@opentelemetry/sdk-node';
import { listOf } from './environment.ts';

/**
 * Starts the SDK, without a provider of loggers where the environment does not ask for log records: the SDK left to itself
 * would send them to localhost:4318, whether or not somebody listens there.
 */
export function startNodeSdk(sdk: NodeSDK): void {
  if (areLogsAsked()) {
    sdk.start();
    return;
  }
  const given = process.env.OTEL_LOGS_EXPORTER;
  // An empty list of processors makes a provider as well, and the API takes none after it: one that the app registers
  // later would be refused without a word. Only this keeps the SDK from it; nothing is waited for until it is taken back.
  process.env.OTEL_LOGS_EXPORTER = 'none';
  try {
    sdk.start();
  } finally {
    if (given === undefined) delete process.env.OTEL_LOGS_EXPORTER;
    else process.env.OTEL_LOGS_EXPORTER = given;
  }
}

/** A collector that takes spans alone is none for log records. */
function areLogsAsked(): boolean {
  const { OTEL_LOGS_EXPORTER, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT } = process.env;
  return (
    listOf(OTEL_LOGS_EXPORTER).length > 0 || Boolean(OTEL_EXPORTER_OTLP_ENDPOINT || OTEL_EXPORTER_OTLP_LOGS_ENDPOINT)
  );
}
