import type { Retention } from './retention.ts';

/** What a put has dropped to make room. */
export interface Dropped {
  readonly count: number;
  readonly bytes: number;
}

/**
 * Whether a put has dropped enough, though the limits may not hold yet: where they were lowered, the letters that follow drop the
 * rest, so that none of them waits for tens of thousands to go. What went is never less than what comes, so the store does not
 * grow meanwhile.
 */
export function isEnough(dropped: Dropped, bytes: number, { maxBytes }: Required<Retention>): boolean {
  return dropped.count >= DROPPED_AT_ONCE && dropped.bytes >= bytes && bytes <= maxBytes;
}

/** How many letters a put drops, unless it takes more to make room for its own. */
export const DROPPED_AT_ONCE = 250;
