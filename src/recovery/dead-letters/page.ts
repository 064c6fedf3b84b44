import { integerFrom, message } from '../../engine/option-checks.ts';
import type { PageRequest } from './dead-letter-store.ts';
import type { DeadLetter } from './letter.ts';

/** A place in the order of letters: behind this one. */
export interface Place {
  readonly diedAt: number;
  readonly id: string;
}

/** What a page request asks for. */
export interface Page {
  readonly limit: number;
  readonly after: Place | undefined;
}

/** @throws TypeError or RangeError for a limit or a place that is none */
export function readPage(request: PageRequest = {}): Page {
  const { limit = 100, after } = request;
  integerFrom(1, LARGEST_PAGE)('limit', limit);
  return { limit, after: after === undefined ? undefined : readPlace(after) };
}

/** Where the page after this one begins: undefined when `letters` are fewer than were asked for. */
export function placeAfter(letters: readonly DeadLetter[], limit: number): string | undefined {
  const last = letters[limit - 1];
  return last === undefined ? undefined : `${last.diedAt}_${last.id}`;
}

/** The order of letters: by the time when they died, then by id. */
export function byDeath(a: Place, b: Place): number {
  return a.diedAt - b.diedAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

const LARGEST_PAGE = 1000;

function readPlace(text: unknown): Place {
  const found = typeof text === 'string' ? /^(\d{1,16})_(.{1,100})$/.exec(text) : null;
  if (found === null) throw new TypeError(message('after', text, '"next" of a page'));
  return { diedAt: Number(found[1]), id: found[2] as string };
}
