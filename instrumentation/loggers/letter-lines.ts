import type { QueueEvent } from '../../src/recovery/dead-letters/queue-event.ts';
import { LOG_FIELDS, LOG_MESSAGES } from '../names.ts';
import type { LetterMessage } from './levels.ts';
import type { Lines } from './lines.ts';
import type { LogFields } from './log-sink.ts';
import { singleLine } from './single-line.ts';

/** Writes a line for whatever happens to dead letters. Of what is in a letter it tells the names, and never the payload. */
export function letterLines(lines: Lines): (event: QueueEvent) => void {
  return event => {
    const message: LetterMessage = `letter_${event.event}`;
    lines.write(message, () => ({
      text: LOG_MESSAGES[message](singleLine(event.operation ?? event.queue)),
      fields: fieldsOf(event),
    }));
  };
}

function fieldsOf({ queue, letters, id, operation, redrive, trace, ...why }: QueueEvent): LogFields {
  return {
    [LOG_FIELDS.queue]: singleLine(queue),
    ...(operation === undefined ? undefined : { [LOG_FIELDS.operation]: singleLine(operation) }),
    // What happened to one letter tells which; what happened to many, how many.
    ...(id === undefined ? { [LOG_FIELDS.letters]: letters } : { [LOG_FIELDS.letterId]: singleLine(id) }),
    ...(redrive === undefined ? undefined : { [LOG_FIELDS.redrive]: redrive }),
    ...reasonOf(why),
    ...(trace === undefined ? undefined : { [LOG_FIELDS.traceId]: trace.traceId, [LOG_FIELDS.spanId]: trace.spanId }),
  };
}

function reasonOf({ storeError, error, why }: Pick<QueueEvent, 'storeError' | 'error' | 'why'>): LogFields {
  const told = error === undefined ? storeError : `${error.type}: ${error.message}`;
  return {
    ...(told === undefined ? undefined : { [LOG_FIELDS.error]: singleLine(told) }),
    ...(why === undefined ? undefined : { [LOG_FIELDS.reason]: singleLine(why) }),
  };
}
