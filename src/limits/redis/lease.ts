import { UNITS_PER_TOKEN } from '../token-units.ts';

/** How long tokens may be used after they were asked for. What is left then is lost, never given back. */
export const LEASE_MS = 5000;

/** A lease that was used up within this time was too small. */
const BUSY_MS = 1000;

/**
 * The tokens that this process holds of the fleet's. It asks for one at first, for twice as many each time they are used
 * up within a second, and for one again after some were lost: so a process that retries seldom wastes little, and one
 * that retries all the time asks seldom.
 */
export class Lease {
  readonly #mostUnits: number;
  #units = 0;
  #expiresAt = 0;
  #startedAt = -Infinity;
  #size: number = UNITS_PER_TOKEN;

  constructor(mostTokens: number) {
    this.#mostUnits = mostTokens * UNITS_PER_TOKEN;
  }

  /** Units that are left at the time `now`. */
  balance(now: number): number {
    if (this.#units > 0 && now >= this.#expiresAt) {
      this.#units = 0;
      this.#size = UNITS_PER_TOKEN;
    }
    return this.#units;
  }

  /** Takes units, or answers false. */
  tryTake(units: number, now: number): boolean {
    if (units > this.balance(now)) return false;
    this.#units -= units;
    return true;
  }

  /** How many units to ask for at the time `now`. */
  nextSize(now: number): number {
    if (now - this.#startedAt < BUSY_MS) this.#size = Math.min(this.#size * 2, this.#mostUnits);
    return this.#size;
  }

  /** Adds units that were asked for at `askedAt`. What was left before lives no longer for it. */
  add(units: number, askedAt: number): void {
    const left = this.balance(askedAt);
    const expiresAt = askedAt + LEASE_MS;
    this.#expiresAt = left > 0 ? Math.min(this.#expiresAt, expiresAt) : expiresAt;
    this.#startedAt = askedAt;
    this.#units = left + units;
  }
}

/** The most tokens in one lease: what the process' share of the rate brings in a second, from 1 to 50. */
export function mostTokens(ratePerSecond: number, capacity: number, instances: number): number {
  const perSecond = ratePerSecond > 0 ? ratePerSecond : capacity / 10;
  return Math.min(Math.max(Math.floor(perSecond / instances), 1), 50);
}
