import type { QueueEvent, RedriveEvent } from 'retryscope/dead-letters';

type Result = RedriveEvent['result'];

/** A letter that was sent, or could not be, and is not done with. */
export interface TroubledLetter {
  readonly id: string;
  readonly operation: string;
  readonly result: Exclude<Result, 'redriven' | 'released'>;
  /** What the handler has thrown, redacted; null where it was not that. */
  readonly error: { readonly type: string; readonly message: string } | null;
  /** Why the letter was put aside or lost, in a few words; null where it just failed. */
  readonly why: string | null;
}

/** How many letters are named. */
const MOST_TROUBLED = 1000;

/** What became of the letters of each operation, and which ones were not sent with success. */
export class RedriveTally {
  readonly #operations = new Map<string, Record<Result, number>>();
  readonly #troubled: TroubledLetter[] = [];
  /** What the queue has told of letters that are not added yet. */
  readonly #told = new Map<string, Pick<QueueEvent, 'error' | 'why'>>();

  /** What the queue tells of a letter comes before {@link add}. */
  hear({ event, id, error, why }: QueueEvent): void {
    if (id === undefined || (event !== 'failed' && event !== 'quarantined')) return;
    const before = this.#told.get(id);
    this.#told.set(id, { ...before, ...(error && { error }), ...(why && { why }) });
  }

  add({ id, operation, result }: RedriveEvent): void {
    const row = this.#operations.get(operation) ?? noResults();
    this.#operations.set(operation, row);
    row[result]++;
    const { error, why } = this.#told.get(id) ?? {};
    this.#told.delete(id);
    if (result === 'redriven' || result === 'released' || this.#troubled.length >= MOST_TROUBLED) return;
    this.#troubled.push({
      id,
      operation,
      result,
      error: error === undefined ? null : { type: error.type, message: error.message },
      why: result === 'lost' ? NOT_NOTED : (why ?? null),
    });
  }

  get operations(): readonly ({ readonly operation: string } & Readonly<Record<Result, number>>)[] {
    return [...this.#operations].map(([operation, results]) => ({ operation, ...results }));
  }

  /** All operations together. */
  get results(): Readonly<Record<Result, number>> {
    const sum = noResults();
    for (const results of this.#operations.values()) {
      for (const result of Object.keys(sum) as Result[]) sum[result] += results[result];
    }
    return sum;
  }

  /** Letters that failed, were quarantined or were lost: the first {@link MOST_TROUBLED}. */
  get troubled(): readonly TroubledLetter[] {
    return this.#troubled;
  }
}

const NOT_NOTED = 'it was sent, but that could not be noted';

function noResults(): Record<Result, number> {
  return { redriven: 0, failed: 0, quarantined: 0, released: 0, lost: 0 };
}
