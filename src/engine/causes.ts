import { read } from './read.ts';

/**
 * What lies beneath an error: its `cause`, the cause of that, and the first members of each `errors` list on the way.
 * At most {@link MAX_CAUSES}, each once, however long or circular the chain is.
 */
export function causesOf(error: unknown): readonly unknown[] {
  const found = new Set<unknown>([error]);
  for (const each of found) {
    for (const beneath of [read(each, 'cause'), ...membersOf(each)]) {
      if (found.size > MAX_CAUSES) break;
      if (beneath !== undefined && beneath !== null) found.add(beneath);
    }
  }
  found.delete(error);
  return [...found];
}

/** The most causes that are looked at. */
export const MAX_CAUSES = 8;
/** The most members of one list that are looked at: of an AggregateError, a few tell enough. */
const MAX_MEMBERS = 5;

function membersOf(error: unknown): unknown[] {
  const errors = read(error, 'errors');
  const length = read(errors, 'length');
  if (typeof errors !== 'object' || typeof length !== 'number') return [];
  return Array.from({ length: Math.min(length, MAX_MEMBERS) }, (_, i) => read(errors, i));
}
