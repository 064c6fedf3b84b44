import type { CallTrace } from './call-trace.ts';

/** What the calls of one operation came to; all times are milliseconds. */
export interface OperationTally {
  readonly operation: string;
  readonly calls: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly attempts: number;
  readonly waitedMs: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

interface Counts {
  readonly outcomes: Map<string, number>;
  readonly durations: number[];
  attempts: number;
  waitedMs: number;
}

/** How many durations of an operation are kept: enough for percentiles, and bounded when the demo runs for ever. */
const KEPT = 20_000;

/** Counts calls as their spans come in. */
export class Tally {
  readonly #operations = new Map<string, Counts>();

  add(call: CallTrace): void {
    const operation: Counts = this.#operations.get(call.operation) ?? {
      outcomes: new Map(),
      durations: [],
      attempts: 0,
      waitedMs: 0,
    };
    this.#operations.set(call.operation, operation);
    operation.outcomes.set(call.outcome, (operation.outcomes.get(call.outcome) ?? 0) + 1);
    operation.attempts += call.attempts.length;
    operation.waitedMs += call.waitedMs;
    operation.durations.push(call.durationMs);
    if (operation.durations.length > KEPT) operation.durations.shift();
  }

  /** The operations by name. */
  read(): OperationTally[] {
    return [...this.#operations]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([operation, { outcomes, durations, attempts, waitedMs }]) => {
        const sorted = [...durations].sort((a, b) => a - b);
        return {
          operation,
          calls: [...outcomes.values()].reduce((sum, count) => sum + count, 0),
          outcomes: Object.fromEntries(outcomes),
          attempts,
          waitedMs,
          p50: percentile(sorted, 0.5),
          p95: percentile(sorted, 0.95),
          p99: percentile(sorted, 0.99),
        };
      });
  }
}

function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
