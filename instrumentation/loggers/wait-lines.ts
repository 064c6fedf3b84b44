import type { WaitEvent } from '../../src/recovery/durable/waits-options.ts';
import { LOG_FIELDS, LOG_MESSAGES } from '../names.ts';
import type { WaitMessage } from './levels.ts';
import type { Lines } from './lines.ts';
import { singleLine } from './single-line.ts';

/** Writes a line for whatever happens to calls over long waits. */
export function waitLines(lines: Lines): (event: WaitEvent) => void {
  return ({ event, queue, operation, jobId, why }) => {
    const message: WaitMessage = `wait_${event}`;
    lines.write(message, () => ({
      text: LOG_MESSAGES[message](singleLine(operation ?? queue)),
      fields: {
        [LOG_FIELDS.queue]: singleLine(queue),
        ...(operation === undefined ? undefined : { [LOG_FIELDS.operation]: singleLine(operation) }),
        ...(jobId === undefined ? undefined : { [LOG_FIELDS.jobId]: singleLine(jobId) }),
        ...(why === undefined ? undefined : { [LOG_FIELDS.reason]: singleLine(why) }),
      },
    }));
  };
}
