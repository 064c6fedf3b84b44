import type { RedriveEvent, RedrivePreview, RedriveReport } from 'retryscope/dead-letters';
import { type Colors, terminalColors } from '../terminal.ts';
import { count, counted, oneLine, tableOf } from './layout.ts';

/** What became of the letters of each operation, and which ones were not sent with success. */
export class RedriveTally {
  readonly #operations = new Map<string, Record<RedriveEvent['result'], number>>();
  readonly #troubled: RedriveEvent[] = [];

  add(event: RedriveEvent): void {
    const row = this.#operations.get(event.operation) ?? {
      redriven: 0,
      failed: 0,
      quarantined: 0,
      released: 0,
      lost: 0,
    };
    this.#operations.set(event.operation, row);
    row[event.result]++;
    if (TROUBLE.includes(event.result) && this.#troubled.length < MOST_TROUBLED) this.#troubled.push(event);
  }

  get operations(): readonly ({ readonly operation: string } & Readonly<Record<RedriveEvent['result'], number>>)[] {
    return [...this.#operations].map(([operation, results]) => ({ operation, ...results }));
  }

  /** Letters that failed, were quarantined or were lost: the first {@link MOST_TROUBLED}. */
  get troubled(): readonly RedriveEvent[] {
    return this.#troubled;
  }
}

/** What a run, or the look before it, has found. */
export interface RedriveFacts {
  readonly queue: string;
  readonly preview: RedrivePreview;
  /** Quarantined letters that were made dead again, or would be. */
  readonly revived: number;
}

/** A run for people. */
export function reportText(
  { queue, preview, revived }: RedriveFacts,
  report: RedriveReport,
  tally: RedriveTally,
): string {
  const colors = terminalColors();
  const rows = tally.operations.map(({ operation, redriven, failed, quarantined, released, lost }) => [
    oneLine(operation),
    redriven === 0 ? '0' : colors.green(count(redriven)),
    failed === 0 ? '0' : colors.red(count(failed)),
    quarantined === 0 ? '0' : colors.yellow(count(quarantined)),
    count(released),
    count(lost),
  ]);
  const head = ['Operation', 'Redriven', 'Failed', 'Quarantined', 'Given back', 'Lost'];
  const { troubled } = tally;
  return [
    `Queue ${oneLine(queue)}`,
    ...(rows.length === 0 ? [] : [tableOf(head, [undefined, 11, 10, 13, 12, 8], rows, [1, 2, 3, 4, 5])]),
    ...troubled.slice(0, MOST_SHOWN).map(({ id, result }) => `  ${result.padEnd(11)} ${id}`),
    ...(troubled.length > MOST_SHOWN ? ['  …'] : []),
    ...revivedLine(revived, 'made dead again'),
    ...notHereLines(preview, colors),
    ...givenBackLine(report),
    verdictLine(report, colors),
    '',
  ].join('\n');
}

/** What a run would do, for people. */
export function previewText({ queue, preview, revived }: RedriveFacts): string {
  const colors = terminalColors();
  const rows = preview.operations.map(({ operation, sendable, notHere, impossible }) => [
    oneLine(operation),
    count(sendable),
    count(notHere),
    count(impossible),
  ]);
  const sendable = preview.operations.reduce((sum, row) => sum + row.sendable, 0);
  return [
    `Queue ${oneLine(queue)}`,
    ...(rows.length === 0
      ? []
      : [
          tableOf(
            ['Operation', 'Can be sent', 'No handler here', 'Cannot be sent'],
            [undefined, 14, 17, 16],
            rows,
            [1, 2, 3],
          ),
        ]),
    ...revivedLine(revived, 'to be made dead again first'),
    ...notHereLines(preview, colors),
    `${counted(sendable, 'letter')} would be sent.`,
    '',
  ].join('\n');
}

const TROUBLE: readonly RedriveEvent['result'][] = ['failed', 'quarantined', 'lost'];
/** How many letters the JSON names, and how many the text. */
const MOST_TROUBLED = 1000;
const MOST_SHOWN = 10;

function revivedLine(revived: number, what: string): string[] {
  return revived === 0 ? [] : [`${counted(revived, 'quarantined letter')} ${what}.`];
}

function givenBackLine({ stopped, results: { released } }: RedriveReport): string[] {
  if (released === 0 || stopped !== 'done') return [];
  return [
    `${counted(released, 'letter')} given back untried: sealed with a key that was not named, or a limit of the policy says no.`,
  ];
}

function notHereLines({ operations }: RedrivePreview, { yellow }: Colors): string[] {
  const missing = operations.filter(({ notHere }) => notHere > 0);
  const letters = missing.reduce((sum, { notHere }) => sum + notHere, 0);
  if (letters === 0) return [];
  const names = missing.map(({ operation }) => oneLine(operation)).join(', ');
  return [`${yellow('!')} ${counted(letters, 'letter')} stayed: no handler, or an older one, for ${names}.`];
}

function verdictLine({ stopped, results }: RedriveReport, { green, yellow, red }: Colors): string {
  const sent = `${counted(results.redriven, 'letter')} ${results.redriven === 1 ? 'was' : 'were'} redriven`;
  switch (stopped) {
    case 'failure_rate':
      return `${red('✗')} Stopped: too many of the latest letters failed, so the other side seems to be down. ${sent}.`;
    case 'aborted':
      return `${yellow('!')} Interrupted. ${sent}.`;
    default: {
      const isClean = results.failed + results.quarantined + results.lost + results.released === 0;
      return `${isClean ? green('✓') : yellow('!')} ${sent}${stopped === 'limit' ? ', and the limit is reached' : ''}.`;
    }
  }
}
