import type { DeadLetterStore, LetterFilter } from 'retryscope/dead-letters';

/** Ids of the oldest quarantined letters that fit, `limit` at most. */
export async function quarantinedIds(
  store: DeadLetterStore,
  filter: LetterFilter,
  limit: number,
): Promise<readonly string[]> {
  const ids: string[] = [];
  let after: string | undefined;
  do {
    const page = await store.list(
      { ...filter, states: ['quarantined'] },
      { limit: Math.min(PAGE, limit - ids.length), ...(after === undefined ? undefined : { after }) },
    );
    ids.push(...page.letters.map(({ id }) => id));
    after = page.next;
  } while (after !== undefined && ids.length < limit);
  return ids;
}

/** Makes quarantined letters dead again, some at a time. Gives how many. */
export async function reviveAll(store: DeadLetterStore, ids: readonly string[]): Promise<number> {
  let revived = 0;
  for (let i = 0; i < ids.length; i += PAGE) revived += await store.revive({ ids: ids.slice(i, i + PAGE) });
  return revived;
}

const PAGE = 200;
