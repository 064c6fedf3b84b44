import { type Context, createContextKey } from '@opentelemetry/api';

const ATTEMPT = createContextKey('retryscope attempt number');

/** A context that tells what starts in it that it belongs to attempt `number`. */
export function withAttemptNumber(context: Context, number: number): Context {
  return context.setValue(ATTEMPT, number);
}

/** The number of the retry attempt that this context belongs to, from 2; undefined in a first attempt and outside. */
export function attemptNumberOf(context: Context): number | undefined {
  return context.getValue(ATTEMPT) as number | undefined;
}
