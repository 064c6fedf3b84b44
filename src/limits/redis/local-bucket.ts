/**
 * The bounded bucket of this process alone, for the time when Redis is out of reach. It is filled all the time, by time
 * and by successes, so that an outage finds it ready and one outage after another does not find it full each time.
 */
export class LocalBucket {
  readonly capacity: number;
  readonly #unitsPerMs: number;
  #units: number;
  #at: number;

  constructor(capacityUnits: number, unitsPerMs: number, now: number) {
    this.capacity = capacityUnits;
    this.#unitsPerMs = unitsPerMs;
    this.#units = capacityUnits;
    this.#at = now;
  }

  /** Units at the time `now`, which never goes back. */
  balance(now: number): number {
    this.#units = Math.min(this.capacity, this.#units + (now - this.#at) * this.#unitsPerMs);
    this.#at = now;
    return this.#units;
  }

  deposit(units: number): void {
    this.#units = Math.min(this.capacity, this.#units + units);
  }

  /** Takes units, or answers false. */
  tryTake(units: number, now: number): boolean {
    if (units > this.balance(now)) return false;
    this.#units -= units;
    return true;
  }
}
