import { describeError } from '../../engine/describe-error.ts';
import { redactWithin } from '../../engine/redact.ts';
import { type DeadLetter, longerHistory } from './letter.ts';
import { isUuid, newLetterId } from './letter-id.ts';
import type { GivenUpCall } from './letter-keeper.ts';
import { letterSource } from './letter-source.ts';
import { boundTo, type PayloadTerms, packPayload } from './pack-payload.ts';

/** Makes the letter of a call that died at `diedAt`, in milliseconds since 1970: bounded in size, without secrets. */
export async function makeLetter(
  call: GivenUpCall,
  queue: string,
  diedAt: number,
  terms: PayloadTerms,
): Promise<DeadLetter> {
  const { operation, version, args, trace } = call;
  const source = letterSource(call.source);
  const id = newLetterId(diedAt);
  return Object.freeze<DeadLetter>({
    id,
    queue,
    operation,
    payload: await packPayload(args, version, boundTo(id, operation, version), terms),
    error: describeError(call.error),
    reason: call.reason,
    attempts: call.attempts,
    history: longerHistory([], call.history),
    firstFailedAt: call.firstFailedAt,
    lastFailedAt: call.failedAt,
    diedAt,
    idempotencyKey: isUuid(call.idempotencyKey) ? call.idempotencyKey : redactWithin(call.idempotencyKey, LONGEST_KEY),
    ...(trace === undefined ? undefined : { trace }),
    redrives: 0,
    state: { is: 'dead' },
    ...(source === undefined ? undefined : { source }),
  });
}

const LONGEST_KEY = 512;
