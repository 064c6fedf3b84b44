import { createHash } from 'node:crypto';

/**
 * What stands for an owner in a letter's list of those who were given it. All marks are equally long, and hold nothing of what
 * a name may hold: so the list is one text, to which a database adds a mark, and which it cuts, without reading it. Two names have
 * the same mark once in 2^64; then one of them is not given a letter that it might have had.
 */
export function ownerMark(owner: string): string {
  return ` ${createHash('sha256').update(owner).digest('hex').slice(0, DIGITS)}`;
}

/** The list with one owner more, the last one last. Who was given the letter more than {@link OWNERS_KEPT} owners ago falls out. */
export function withOwner(owners: string, mark: string): string {
  return `${owners}${mark}`.slice(-OWNERS_LENGTH);
}

/** Whether the letter was given to this owner. */
export function hasOwner(owners: string, mark: string): boolean {
  return owners.includes(mark);
}

/** How many owners a letter remembers. */
export const OWNERS_KEPT = 16;
const DIGITS = 16;
/** How long the list is at most. */
export const OWNERS_LENGTH: number = OWNERS_KEPT * (1 + DIGITS);
