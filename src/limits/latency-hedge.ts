import type { Hedge } from '../engine/hedge.ts';
import { type Check, checkOptions, integerFrom, milliseconds, numberFrom } from '../engine/option-checks.ts';

/**
 * Hedges after a percentile of how long successful attempts take, as measured by the policies that share it: with 0.95
 * about one attempt in twenty gets a second one. What was measured long ago counts less and less.
 *
 * @example
 * ```ts
 * const hedge = new LatencyHedge({ percentile: 0.95 });
 * const user = await retry(({ signal }) => loadUser(id, signal), { operation: 'load_user', hedge });
 * ```
 */
export class LatencyHedge implements Hedge {
  readonly #percentile: number;
  readonly #minSamples: number;
  readonly #leastMs: number;
  readonly #buckets: Float64Array = new Float64Array(BUCKETS);
  #count = 0;
  /** Records since the counts were halved. */
  #fresh = 0;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: LatencyHedgeOptions = {}) {
    checkOptions('hedge options', options, CHECKS);
    this.#percentile = options.percentile ?? 0.95;
    this.#minSamples = options.minSamples ?? 20;
    this.#leastMs = options.minDelayMs ?? 1;
  }

  delayMs(): number | undefined {
    if (this.#count < this.#minSamples) return undefined;
    const wanted = this.#percentile * this.#count;
    let seen = 0;
    let bucket = 0;
    for (; bucket < BUCKETS - 1; bucket++) {
      seen += this.#buckets[bucket] as number;
      if (seen >= wanted) break;
    }
    return Math.max(this.#leastMs, upperBound(bucket));
  }

  record(durationMs: number): void {
    const bucket = bucketOf(durationMs);
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1;
    this.#count++;
    if (++this.#fresh < MEMORY) return;
    this.#fresh = 0;
    this.#count = 0;
    for (let i = 0; i < BUCKETS; i++) {
      this.#buckets[i] = (this.#buckets[i] as number) / 2;
      this.#count += this.#buckets[i] as number;
    }
  }
}

/** When a {@link LatencyHedge} hedges. */
export interface LatencyHedgeOptions {
  /** The share of attempts that are fast enough. Default 0.95. Range 0.5 to 0.9999. */
  readonly percentile?: number;
  /** No hedge before this many attempts were measured. Default 20. An integer from 1 to 10,000. */
  readonly minSamples?: number;
  /** No hedge sooner than after this many milliseconds. Default 1. Range 0 to 2^31-1. */
  readonly minDelayMs?: number;
}

/** Each bucket is a tenth wider than the one before it: from 0.1 ms to more than an hour. */
const BUCKETS = 192;
const GROWTH = 1.1;
const FIRST_MS = 0.1;
/** After this many records all counts are halved. */
const MEMORY = 1000;

function bucketOf(ms: number): number {
  const index = Math.ceil(Math.log(ms / FIRST_MS) / Math.log(GROWTH));
  return Math.min(BUCKETS - 1, Math.max(0, Number.isNaN(index) ? 0 : index));
}

function upperBound(bucket: number): number {
  return FIRST_MS * GROWTH ** bucket;
}

const CHECKS: Record<keyof LatencyHedgeOptions, Check> = {
  percentile: numberFrom(0.5, 0.9999),
  minSamples: integerFrom(1, 10_000),
  minDelayMs: milliseconds(0),
};
