export type { DeadLetter } from '../../../src/recovery/dead-letters/letter.ts';

/** Ids in the order in which they are made, also within one millisecond. */
export function newLetterIdForTests(wallNow: number, count: number): string {
  const time = wallNow.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${count.toString(16).padStart(12, '0')}`;
}
