import type { DeadLetter, DeadLetterStore, LetterPage } from 'retryscope/dead-letters';
import { terminalColors } from '../terminal.ts';
import { asJson } from './as-json.ts';
import { sayDuration } from './duration.ts';
import { type FilterOptions, filterOf } from './filter-of.ts';
import { counted, oneLine, tableOf } from './layout.ts';
import { letterView } from './letter-view.ts';
import { openStore, type StoreOptions } from './open-store.ts';
import { ProgressBar } from './progress-bar.ts';
import { stateCell } from './state-cell.ts';

/** What `retryscope dead-letters list` is asked for. */
export interface ListOptions extends StoreOptions, FilterOptions {
  readonly limit: number;
  /** Where a page before ended. */
  readonly after?: string;
  readonly json?: boolean;
}

/** Prints letters, oldest first, without their payloads. */
export async function list(options: ListOptions): Promise<void> {
  await using opened = await openStore(options);
  const { letters, next } = await readPages(opened.store, options);
  process.stdout.write(
    options.json === true
      ? asJson({ store: opened.shown, letters: letters.map(letter => letterView(letter)), next })
      : asTable(opened.shown, letters, next),
  );
}

async function readPages(store: DeadLetterStore, options: ListOptions): Promise<LetterPage> {
  const { limit } = options;
  const filter = filterOf(options);
  const progress = limit > PAGE ? new ProgressBar(process.stderr, 'reading', limit) : undefined;
  const letters: DeadLetter[] = [];
  let next = options.after;
  try {
    do {
      const wanted = Math.min(PAGE, limit - letters.length);
      const page = await store.list(filter, { limit: wanted, ...(next === undefined ? undefined : { after: next }) });
      letters.push(...page.letters);
      next = page.next;
      progress?.show(letters.length);
    } while (next !== undefined && letters.length < limit);
  } finally {
    progress?.clear();
  }
  return { letters, next };
}

function asTable(shown: string, letters: readonly DeadLetter[], next: string | undefined): string {
  const from = `From ${oneLine(shown)}\n`;
  if (letters.length === 0) return `${from}There is no such letter.\n`;
  const colors = terminalColors();
  const now = Date.now();
  const rows = letters.map(letter => [
    `${oneLine(letter.id)}\n${colors.dim(oneLine(`${letter.queue} · ${letter.operation}`))}`,
    `${colors.red(oneLine(letter.error.type))} ${colors.dim(letter.reason)}\n${oneLine(letter.error.message)}`,
    sayDuration(now - letter.diedAt),
    `${stateCell(letter, colors)}\n${colors.dim(effort(letter))}`,
  ]);
  const more = next === undefined ? '' : `There are more: --after ${oneLine(next)}\n`;
  const table = tableOf(['Letter', 'Error', 'Age', 'State'], [ID_WIDTH, undefined, AGE_WIDTH, STATE_WIDTH], rows);
  return `${from}${table}\n${counted(letters.length, 'letter')}.\n${more}`;
}

/** What has been done for it so far. */
function effort({ attempts, redrives }: DeadLetter): string {
  return redrives === 0 ? counted(attempts, 'attempt') : counted(redrives, 'redrive');
}

/** The memory that a page takes is bounded by it: payloads come with their letters. */
const PAGE = 100;
/** A UUID, and the padding. */
const ID_WIDTH = 38;
const AGE_WIDTH = 9;
const STATE_WIDTH = 14;
