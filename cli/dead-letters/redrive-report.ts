import type { RedrivePreview, RedriveReport } from 'retryscope/dead-letters';
import { type Colors, terminalColors } from '../terminal.ts';
import { count, counted, oneLine, tableOf } from './layout.ts';
import type { RedriveTally, TroubledLetter } from './redrive-tally.ts';

/** What a run, or the look before it, has found. */
export interface RedriveFacts {
  readonly queue: string;
  readonly preview: RedrivePreview;
  /** Quarantined letters that were made dead again, or would be. */
  readonly revived: number;
}

/** How a run ended. */
export type RedriveEnd = Pick<RedriveReport, 'stopped' | 'results'>;

/** A run for people. */
export function reportText({ queue, preview, revived }: RedriveFacts, report: RedriveEnd, tally: RedriveTally): string {
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
  return [
    `Queue ${oneLine(queue)}`,
    ...(rows.length === 0 ? [] : [tableOf(head, [undefined, 11, 10, 13, 12, 8], rows, [1, 2, 3, 4, 5])]),
    ...troubledTable(tally.troubled, report, colors),
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
    ...impossibleLine(preview, colors),
    `${counted(sendable, 'letter')} would be sent.`,
    '',
  ].join('\n');
}

/** How many letters are named; the JSON has more of them. */
const MOST_SHOWN = 10;
/** A UUID, and the padding. */
const ID_WIDTH = 38;
const RESULT_WIDTH = 13;

/** The letters that were not redriven, each with its reason. */
function troubledTable(troubled: readonly TroubledLetter[], { results }: RedriveEnd, colors: Colors): string[] {
  if (troubled.length === 0) return [];
  const rows = troubled
    .slice(0, MOST_SHOWN)
    .map(letter => [oneLine(letter.id), PAINT[letter.result](colors)(letter.result), oneLine(reasonOf(letter))]);
  const more = results.failed + results.quarantined + results.lost - rows.length;
  return [
    tableOf(['Letter', 'Result', 'Reason'], [ID_WIDTH, RESULT_WIDTH, undefined], rows),
    ...(more > 0 ? [`… and ${count(more)} more, which dead-letters list shows.`] : []),
  ];
}

/** Most messages begin with what the type says. */
function reasonOf({ error, why }: TroubledLetter): string {
  if (error === null) return why ?? '';
  const { type, message } = error;
  if (message === '') return type;
  return type === 'Error' || message.includes(type) ? message : `${type}: ${message}`;
}

const PAINT: Readonly<Record<TroubledLetter['result'], (colors: Colors) => (text: string) => string>> = {
  failed: ({ red }) => red,
  quarantined: ({ yellow }) => yellow,
  lost: ({ yellow }) => yellow,
};

function revivedLine(revived: number, what: string): string[] {
  return revived === 0 ? [] : [`${counted(revived, 'quarantined letter')} ${what}.`];
}

function givenBackLine({ stopped, results: { released } }: RedriveEnd): string[] {
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

function impossibleLine({ operations }: RedrivePreview, { yellow }: Colors): string[] {
  const letters = operations.reduce((sum, { impossible }) => sum + impossible, 0);
  if (letters === 0) return [];
  return [
    `${yellow('!')} ${counted(letters, 'letter')} would be put aside: their payload is not what the call was given.`,
  ];
}

function verdictLine({ stopped, results }: RedriveEnd, { green, yellow, red }: Colors): string {
  const sent = `${counted(results.redriven, 'letter')} ${results.redriven === 1 ? 'was' : 'were'} redriven`;
  switch (stopped) {
    case 'failure_rate':
      return `${red('✗')} Stopped: too many of the latest letters failed, so the other side seems to be down. ${sent}.`;
    case 'fault':
      return `${red('✗')} The store failed. ${sent} until then; what was claimed can be taken again in a minute.`;
    case 'aborted':
      return `${yellow('!')} Interrupted. ${sent}.`;
    default: {
      const isClean = results.failed + results.quarantined + results.lost + results.released === 0;
      return `${isClean ? green('✓') : yellow('!')} ${sent}${stopped === 'limit' ? ', and the limit is reached' : ''}.`;
    }
  }
}
