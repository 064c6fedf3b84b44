import type { DeadLetterStore, LetterFilter } from 'retryscope/dead-letters';
import { printable } from '../printable.ts';
import { UsageError } from '../usage-error.ts';
import { asJson } from './as-json.ts';
import { ask } from './ask.ts';
import { type FilterOptions, filterOf } from './filter-of.ts';
import { counted, oneLine } from './layout.ts';
import { type OpenedStore, openStore, type StoreOptions } from './open-store.ts';
import { ProgressBar } from './progress-bar.ts';
import { whileShowing } from './while-showing.ts';

/** What `retryscope dead-letters purge` is asked for. */
export interface PurgeOptions extends StoreOptions, FilterOptions {
  /** Every letter, where no filter is given. */
  readonly all?: boolean;
  readonly dryRun?: boolean;
  /** No question is asked. */
  readonly yes?: boolean;
  readonly json?: boolean;
}

/**
 * Deletes letters, once somebody has said yes to their number.
 *
 * @throws UsageError without a filter, and where nobody can be asked
 */
export async function purge(options: PurgeOptions): Promise<'done' | 'declined'> {
  const filter = filterOf(options);
  const isBounded = Object.keys(filter).length > 0;
  if (isBounded === (options.all === true)) {
    throw new UsageError(
      isBounded ? '--all and a filter exclude each other' : 'say which letters with a filter, or --all for every one',
    );
  }
  const mayAsk = process.stdin.isTTY === true && process.stderr.isTTY === true;
  if (options.dryRun !== true && options.yes !== true && !mayAsk) {
    throw new UsageError('there is no terminal to ask on; --yes deletes without a question, --dry-run only counts');
  }
  await using opened = await openStore(options);
  const found = await countLetters(opened.store, filter);
  if (options.dryRun === true) {
    tell(options, opened, { dryRun: true, letters: found }, `${counted(found, 'letter')} would be deleted.`);
    return 'done';
  }
  if (options.yes !== true && !(await isAgreed(found, opened))) {
    process.stderr.write('Nothing was deleted.\n');
    return 'declined';
  }
  const deleted = await whileShowing(`deleting ${counted(found, 'letter')}`, () => opened.store.purge(filter));
  const rest = deleted < found ? ` ${counted(found - deleted, 'letter')} had changed meanwhile.` : '';
  const what = `${counted(deleted, 'letter')} ${deleted === 1 ? 'was' : 'were'} deleted.${rest}`;
  tell(options, opened, { dryRun: false, letters: deleted }, what);
  return 'done';
}

/** Letters that somebody works on are never deleted, and not counted either. */
async function countLetters(store: DeadLetterStore, filter: LetterFilter): Promise<number> {
  const { letters: total } = await store.stats();
  const progress = new ProgressBar(process.stderr, 'counting', total);
  const states = filter.states?.filter(state => state !== 'claimed') ?? (['dead', 'redriven', 'quarantined'] as const);
  let found = 0;
  let after: string | undefined;
  try {
    do {
      const page = await store.list(
        { ...filter, states },
        { limit: PAGE, ...(after === undefined ? undefined : { after }) },
      );
      found += page.letters.length;
      after = page.next;
      progress.show(found);
    } while (after !== undefined);
  } finally {
    progress.clear();
  }
  return found;
}

async function isAgreed(found: number, { shown }: OpenedStore): Promise<boolean> {
  // Nothing that could be deleted is nothing to ask about.
  if (found === 0) return true;
  const question = `Delete ${counted(found, 'letter')} of ${printable(shown)} for good? [y/N] `;
  return (await ask(question, process.stdin, process.stderr)) === 'yes';
}

function tell(options: PurgeOptions, { shown }: OpenedStore, facts: Record<string, unknown>, text: string): void {
  process.stdout.write(
    options.json === true ? asJson({ store: shown, ...facts }) : `From ${oneLine(shown)}\n${text}\n`,
  );
}

const PAGE = 200;
