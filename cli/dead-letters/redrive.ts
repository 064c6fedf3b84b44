import { hostname } from 'node:os';
import { describeError } from 'retryscope';
import {
  DeadLetterQueue,
  type DeadLetterStore,
  type LetterFilter,
  previewRedrive,
  type RedrivePreview,
  redrive as redriveQueue,
} from 'retryscope/dead-letters';
import { EXIT } from '../exit-status.ts';
import { printable } from '../printable.ts';
import { UsageError } from '../usage-error.ts';
import { asJson } from './as-json.ts';
import { type FilterOptions, filterOf } from './filter-of.ts';
import { Interruption } from './interruption.ts';
import { cipherFrom, type KeyOptions } from './key-options.ts';
import { oneLine } from './layout.ts';
import { type ImportModule, loadHandlers } from './load-handlers.ts';
import { openStore, type StoreOptions } from './open-store.ts';
import { ProgressBar } from './progress-bar.ts';
import { quarantinedIds, reviveAll } from './quarantined.ts';
import { previewText, type RedriveEnd, type RedriveFacts, reportText } from './redrive-report.ts';
import { RedriveTally } from './redrive-tally.ts';
import { whileShowing } from './while-showing.ts';

/** What `retryscope dead-letters redrive` is asked for. */
export interface RedriveCommandOptions extends StoreOptions, FilterOptions, KeyOptions {
  /** Modules of the user's that define the operations. */
  readonly handlers: readonly string[];
  readonly limit?: number;
  /** Letters per second. */
  readonly rate?: number;
  readonly concurrency: number;
  /** The share of failures from which the run stops by itself; above 1 is never. */
  readonly stopAtFailureRate: number;
  readonly quarantineAfter: number;
  readonly includeQuarantined?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** What the command does by itself, and a test in its stead. */
export interface RedriveSeams {
  readonly importModule?: ImportModule;
}

/**
 * Sends dead letters of one queue again. Gives the status that the process is to end with.
 *
 * @throws UsageError when the handlers, the keys or the queue are not right; UnavailableError when the store fails, after
 * what was done until then is printed
 */
export async function redrive(options: RedriveCommandOptions, seams: RedriveSeams = {}): Promise<number> {
  const cipher = cipherFrom(options);
  const known = await loadHandlers(options.handlers, seams.importModule);
  await using opened = await openStore(options);
  const { queue: asked, ...filter } = filterOf(options);
  const name = asked ?? (await onlyQueue(opened.store, filter.ids));
  if (name === undefined) {
    const nothing = { store: opened.shown, queue: null, revived: 0, dryRun: options.dryRun === true, ...NOTHING };
    process.stdout.write(
      options.json === true ? asJson(nothing) : `From ${oneLine(opened.shown)}\nThere are no letters.\n`,
    );
    return EXIT.ok;
  }
  const tally = new RedriveTally();
  const queue = new DeadLetterQueue({
    name,
    store: opened.store,
    onEvent: event => tally.hear(event),
    ...(cipher === undefined ? undefined : { cipher }),
  });
  const run = new Run(options, queue, filter, known);
  const facts = await run.look();
  const missing = facts.preview.operations.reduce((sum, { notHere }) => sum + notHere, 0);
  const shown = { store: opened.shown, queue: name, revived: facts.revived };
  if (options.dryRun === true) {
    const { letters, operations } = facts.preview;
    const view = { ...shown, dryRun: true, letters, operations };
    process.stdout.write(options.json === true ? asJson(view) : `From ${oneLine(opened.shown)}\n${previewText(facts)}`);
    return stayed(facts.preview) === 0 ? EXIT.ok : EXIT.failed;
  }
  const { report, fault, interrupted } = await run.send(facts.preview.letters - missing, tally);
  const view = {
    ...shown,
    dryRun: false,
    stopped: report.stopped,
    fault: fault === undefined ? null : describeError(fault.error).message,
    results: report.results,
    notHere: missing,
    operations: tally.operations,
    troubled: tally.troubled,
  };
  const text = `From ${oneLine(opened.shown)}\n${reportText(facts, report, tally)}`;
  process.stdout.write(options.json === true ? asJson(view) : text);
  if (fault !== undefined) throw fault.error;
  return interrupted ?? (isAllSent(report) && missing === 0 ? EXIT.ok : EXIT.failed);
}

/** What came of a run. */
interface Sent {
  readonly report: RedriveEnd;
  /** What it failed with. */
  readonly fault?: { readonly error: unknown };
  /** The status that an interruption asks for. */
  readonly interrupted: number | undefined;
}

class Run {
  readonly #options: RedriveCommandOptions;
  readonly #queue: DeadLetterQueue;
  readonly #filter: Omit<LetterFilter, 'queue' | 'states'>;
  readonly #known: readonly string[];

  constructor(options: RedriveCommandOptions, queue: DeadLetterQueue, filter: LetterFilter, known: readonly string[]) {
    this.#options = options;
    this.#queue = queue;
    this.#filter = filter;
    this.#known = known;
  }

  /** What is there to send; quarantined letters are dead again after it, unless it is a dry run. */
  look(): Promise<RedriveFacts> {
    const { dryRun } = this.#options;
    return whileShowing('looking at the letters', async () => {
      const { name, store } = this.#queue;
      const quarantined = await this.#quarantined();
      const revived = dryRun === true ? quarantined.length : await reviveAll(store, quarantined);
      return { queue: name, revived, preview: await previewRedrive(this.#queue, this.#terms()) };
    });
  }

  async send(letters: number, tally: RedriveTally): Promise<Sent> {
    const { rate, concurrency, quarantineAfter, stopAtFailureRate } = this.#options;
    const progress = new ProgressBar(process.stderr, 'redriving', letters);
    using interruption = new Interruption(() => {
      progress.clear();
      process.stderr.write('retryscope: giving the letters back; once more to end at once\n');
    });
    let done = 0;
    try {
      const report = await redriveQueue(this.#queue, {
        ...this.#terms(),
        ...(rate === undefined ? undefined : { ratePerSecond: rate }),
        concurrency,
        batch: Math.min(MOST_CLAIMED, Math.max(BATCH, concurrency)),
        quarantineAfter,
        stopAtFailureRate,
        owner: operator(),
        signal: interruption.signal,
        onLetter: event => {
          tally.add(event);
          if (!interruption.signal.aborted) progress.show(++done);
        },
      });
      return { report, interrupted: interruption.status };
    } catch (error) {
      return {
        report: { stopped: 'fault', results: tally.results },
        fault: { error },
        interrupted: interruption.status,
      };
    } finally {
      progress.clear();
    }
  }

  /** Ids of quarantined letters that are to be sent as well, and can be. */
  async #quarantined(): Promise<readonly string[]> {
    const { includeQuarantined, limit = Infinity } = this.#options;
    if (includeQuarantined !== true) return [];
    const { name, store } = this.#queue;
    const operations = this.#known.filter(each => this.#filter.operations?.includes(each) ?? true);
    return quarantinedIds(store, { ...this.#filter, operations, queue: name }, limit);
  }

  #terms(): { filter: Omit<LetterFilter, 'queue' | 'states'>; limit?: number } {
    const { limit } = this.#options;
    return { filter: this.#filter, ...(limit === undefined ? undefined : { limit }) };
  }
}

/** What a run, or a dry one, has found where there are no letters. */
const NOTHING = {
  letters: 0,
  stopped: 'done',
  fault: null,
  results: { redriven: 0, failed: 0, quarantined: 0, released: 0, lost: 0 },
  notHere: 0,
  operations: [],
  troubled: [],
};
const BATCH = 10;
const MOST_CLAIMED = 1000;
const LONGEST_OWNER = 150;

/** The queue that is meant where none is named: that of the ids, or the only one. */
async function onlyQueue(store: DeadLetterStore, ids: readonly string[] | undefined): Promise<string | undefined> {
  const found =
    ids === undefined
      ? (await store.stats()).queues.map(({ queue }) => queue)
      : (await Promise.all(ids.map(id => store.get(id)))).flatMap(letter => letter?.queue ?? []);
  const names = [...new Set(found)];
  if (names.length > 1) {
    throw new UsageError(
      `there are letters of several queues; name one with --queue: ${names.map(printable).join(', ')}`,
    );
  }
  return names[0];
}

/** Who redrives, for those who look at the claims. */
function operator(): string {
  const { USER, LOGNAME = USER ?? 'somebody' } = process.env;
  return `${LOGNAME}@${hostname()}, pid ${process.pid}`.slice(0, LONGEST_OWNER);
}

function stayed({ operations }: RedrivePreview): number {
  return operations.reduce((sum, { notHere, impossible }) => sum + notHere + impossible, 0);
}

/** Whether every letter that could be sent has been, but for those beyond the limit. */
function isAllSent({ stopped, results }: RedriveEnd): boolean {
  const { failed, quarantined, released, lost } = results;
  return failed + quarantined + released + lost === 0 && (stopped === 'done' || stopped === 'limit');
}
