export { setRetryObjective } from '../store/objective.ts';
export { attemptNumberOf } from './attempt-context.ts';
export { logToOpenTelemetry } from './log-records.ts';
export { openTelemetryObserver } from './observer.ts';
export type { OpenTelemetryOptions } from './options.ts';
export { type RetryMetricProducer, retryMetricProducer } from './producer.ts';
export { type RetryContextProcessor, retryContextProcessor } from './resend-processor.ts';
export { configureOpenTelemetry } from './settings.ts';
