import { type DeadLetter, type OpenedPayload, openPayload } from 'retryscope/dead-letters';
import { wrapped } from '../doctor/wrapped.ts';
import { printable } from '../printable.ts';
import { terminalColors } from '../terminal.ts';
import { asJson } from './as-json.ts';
import { sayDuration } from './duration.ts';
import { cipherFrom, type KeyOptions } from './key-options.ts';
import { count, counted, oneLine, sayBytes, sayTime, tableOf, tableWidth } from './layout.ts';
import { letterView } from './letter-view.ts';
import { openStore, type StoreOptions } from './open-store.ts';
import { stateCell } from './state-cell.ts';

/** What `retryscope dead-letters show` is asked for. */
export interface ShowOptions extends StoreOptions, KeyOptions {
  /** The arguments of the call as well. */
  readonly payload?: boolean;
  readonly json?: boolean;
}

/** Prints all that is known of a letter; its payload only when it is asked for. */
export async function show(id: string, options: ShowOptions): Promise<'found' | 'not_found'> {
  const cipher = cipherFrom(options);
  await using opened = await openStore(options);
  const letter = await opened.store.get(id);
  if (letter === undefined) {
    process.stderr.write(`retryscope: there is no letter ${printable(id)} in ${printable(opened.shown)}\n`);
    return 'not_found';
  }
  const payload = options.payload === true ? await openPayload(letter, cipher) : undefined;
  process.stdout.write(options.json === true ? asJson(letterView(letter, payload)) : asText(letter, payload));
  return 'found';
}

function asText(letter: DeadLetter, payload: OpenedPayload | undefined): string {
  const colors = terminalColors();
  const width = tableWidth() - LABEL_WIDTH - BORDERS;
  const rows = factsOf(letter).map(([label, text]) => [
    label,
    label === 'State' ? stateCell(letter, colors) : wrapped(oneLine(text), width - PADDING).join('\n'),
  ]);
  return [
    tableOf([], [LABEL_WIDTH, undefined], rows),
    historyOf(letter),
    ...(letter.error.stack === undefined ? [] : [colors.dim(lines(letter.error.stack))]),
    ...(payload === undefined ? [] : [`Payload\n${payloadText(payload)}`]),
    '',
  ].join('\n');
}

function factsOf(letter: DeadLetter): [string, string][] {
  const { error, payload, trace, source, state } = letter;
  const altered = payload.altered.length === 0 ? '' : `, altered: ${payload.altered.join(', ')}`;
  return [
    ['Letter', letter.id],
    ['Queue', letter.queue],
    ['Operation', letter.operation],
    ['State', ''],
    ...stateFacts(state),
    ['Died', `${sayTime(letter.diedAt)}, ${sayDuration(Date.now() - letter.diedAt)} ago`],
    ['First failure', sayTime(letter.firstFailedAt)],
    ['Last failure', sayTime(letter.lastFailedAt)],
    ['Error', error.type],
    ...(error.code === undefined || error.code === error.type ? [] : [['Code', error.code] as [string, string]]),
    ['Message', error.message],
    ['Stop reason', `${letter.reason}, after ${counted(letter.attempts, 'attempt')}`],
    ...(letter.redrives === 0 ? [] : [['Redrives', count(letter.redrives)] as [string, string]]),
    ['Payload', `${kindOf(letter)}, ${sayBytes(payload.bytes)}, version ${payload.version}${altered}`],
    ['Idempotency key', letter.idempotencyKey],
    ...(trace === undefined ? [] : [['Trace', `${trace.traceId}, span ${trace.spanId}`] as [string, string]]),
    ...(source === undefined ? [] : [['Source', sourceOf(source)] as [string, string]]),
  ];
}

function stateFacts(state: DeadLetter['state']): [string, string][] {
  switch (state.is) {
    case 'claimed':
      return [
        ['Claimed by', state.owner],
        ['Until', sayTime(state.until)],
      ];
    case 'redriven':
      return [['Redriven', sayTime(state.at)]];
    case 'quarantined':
      return [['Quarantined', `${sayTime(state.at)}: ${state.why}`]];
    default:
      return [];
  }
}

function kindOf({ payload }: DeadLetter): string {
  if (payload.kind === 'omitted') return `not there (${payload.why})`;
  return payload.kind === 'sealed' ? `sealed with the key ${payload.keyId}` : 'plain';
}

function sourceOf({ topic, partition, offset }: NonNullable<DeadLetter['source']>): string {
  return [
    topic,
    partition === undefined ? '' : ` partition ${partition}`,
    offset === undefined ? '' : ` offset ${offset}`,
  ].join('');
}

function historyOf({ history }: DeadLetter): string {
  const rows = history.map(({ startedAt, durationMs, delayMs, errorType, redrive }) => [
    sayTime(startedAt),
    redrive === 0 ? 'call' : `redrive ${redrive}`,
    `${count(Math.round(delayMs))} ms`,
    durationMs === undefined ? '–' : `${count(Math.round(durationMs))} ms`,
    oneLine(errorType),
  ]);
  return rows.length === 0
    ? ''
    : tableOf(['Attempt', 'Of', 'Waited', 'Took', 'Error'], [29, 14, 13, 13, undefined], rows, [2, 3]);
}

function payloadText(payload: OpenedPayload): string {
  if ('args' in payload) return lines(JSON.stringify(payload.args, undefined, 2));
  if ('missing' in payload) return `It is not there: ${payload.missing}.`;
  return payload.locked === 'no_cipher'
    ? 'It is sealed: name its key with --key-env or --key-file.'
    : 'It is sealed, and none of the keys opens it.';
}

/** A text of several lines, in which nothing steers the terminal. */
function lines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

const LABEL_WIDTH = 17;
const BORDERS = 3;
const PADDING = 2;
