import { runtime } from './runtime.ts';

/**
 * Counts a fault that was kept from a caller, and warns about the first of each source.
 * The warning names the source and the kind of error, never its text: the text may hold secrets.
 */
export function reportFault(source: FaultSource, error: unknown): void {
  const seen = runtime.faults.get(source) ?? 0;
  runtime.faults.set(source, seen + 1);
  if (seen > 0) return;
  try {
    process.emitWarning(
      `${source} failed (${kindOf(error)}). The retried call was not affected; further faults of this kind are counted, not printed.`,
      { type: 'RetryscopeWarning', code: 'RETRYSCOPE_FAULT' },
    );
  } catch {
    // A process that forbids warnings has said that it does not want to know.
  }
}

/** Who failed: the label of `retry_telemetry_errors_total`. */
export type FaultSource =
  | 'observer'
  | 'tracer'
  | 'meter'
  | 'logger'
  | 'exporter'
  | 'channel'
  | 'hook'
  | 'predicate'
  | 'backoff'
  | 'limit'
  | 'fallback'
  | 'dead_letter'
  | 'durable_wait';

/** Reads how many faults of each source have been kept from callers since the process started. */
export function faultCounts(): ReadonlyMap<string, number> {
  return runtime.faults;
}

function kindOf(error: unknown): string {
  try {
    const { name } = error as { name?: unknown };
    return typeof name === 'string' && /^\w{1,64}$/.test(name) ? name : typeof error;
  } catch {
    return typeof error;
  }
}
