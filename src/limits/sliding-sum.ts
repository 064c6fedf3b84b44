/**
 * A sum over the last `windowMs`, kept in slices: what was added expires with its slice, after idle time too, since
 * slices are found by the time and not by how often somebody looked.
 */
export class SlidingSum {
  readonly #sliceMs: number;
  readonly #slices: Float64Array;
  #latest = 0;
  #latestEndsAt: number;
  #total = 0;

  constructor(windowMs: number, slices: number) {
    this.#sliceMs = windowMs / slices;
    this.#latestEndsAt = this.#sliceMs;
    this.#slices = new Float64Array(slices);
  }

  /** Adds an amount at `elapsedMs`, which never goes back. */
  add(elapsedMs: number, amount: number): void {
    this.#advance(elapsedMs);
    const slot = this.#latest % this.#slices.length;
    this.#slices[slot] = (this.#slices[slot] as number) + amount;
    this.#total += amount;
  }

  /** What was added in the window that ends at `elapsedMs`. */
  sum(elapsedMs: number): number {
    this.#advance(elapsedMs);
    return this.#total;
  }

  #advance(elapsedMs: number): void {
    // Nearly always: a throttle looks three times for each decision.
    if (elapsedMs < this.#latestEndsAt) return;
    const current = Math.floor(elapsedMs / this.#sliceMs);
    const count = this.#slices.length;
    const passed = Math.min(current - this.#latest, count);
    for (let i = 0; i < passed; i++) {
      const slot = (current - i) % count;
      this.#total -= this.#slices[slot] as number;
      this.#slices[slot] = 0;
    }
    this.#latest = current;
    this.#latestEndsAt = (current + 1) * this.#sliceMs;
  }
}
