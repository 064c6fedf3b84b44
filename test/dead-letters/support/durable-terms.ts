/** What a process of the tests of durable waits is told at its start. */
export interface DurableTerms {
  readonly engine: 'bullmq' | 'pg-boss';
  readonly port: number;
  /** The file of the dead letters. */
  readonly letters: string;
  /** Whether it runs a worker. */
  readonly works: boolean;
  /** Whether orders hang here as they say. */
  readonly mayHang: boolean;
  /** The delay that is too long for memory. */
  readonly longMs: number;
  readonly handOverTimeoutMs: number;
}

/** The arguments of a call. */
export interface Order {
  readonly id: number;
  /** Attempts up to this one fail. */
  readonly fails: number;
  /** The attempt that hangs. */
  readonly hangsIn?: number;
  readonly takesMs?: number;
  /** No queue of dead letters for this one. */
  readonly unkept?: boolean;
}

/** A line of such a process. */
export type Said = Readonly<Record<string, unknown>>;
