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
  /** Whether it is stopped by an order that says so: the signal of its operations aborts. */
  readonly mayStop: boolean;
  /** Whether it has the operations. */
  readonly knows: 'everything' | 'nothing';
  /** The delay that is too long for memory. */
  readonly longMs: number;
  readonly handOverTimeoutMs: number;
  /** How long BullMQ leaves a job to a worker that says nothing: one that was killed, or that gets no turn. */
  readonly lockMs: number;
}

/** The arguments of a call. */
export interface Order {
  readonly id: number;
  /** Attempts up to this one fail. */
  readonly fails: number;
  /** The attempt that hangs. */
  readonly hangsIn?: number;
  /** The attempt in which the process is stopped. */
  readonly stopsIn?: number;
  readonly takesMs?: number;
  /** No queue of dead letters for this one. */
  readonly unkept?: boolean;
}

/** A line of such a process. */
export type Said = Readonly<Record<string, unknown>>;
