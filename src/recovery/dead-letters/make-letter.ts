import { describeError } from '../../engine/describe-error.ts';
import { storedKey } from './idempotency-key.ts';
import { type DeadLetter, longerHistory } from './letter.ts';
import { newLetterId } from './letter-id.ts';
import type { GivenUpCall } from './letter-keeper.ts';
import { letterSource } from './letter-source.ts';
import { boundTo, type PayloadTerms, packPayload } from './pack-payload.ts';
import { packStored } from './pack-stored.ts';
import type { StoredPayload } from './stored-payload.ts';

/** Makes the letter of a call that died at `diedAt`, in milliseconds since 1970: bounded in size, without secrets. */
export async function makeLetter(
  call: GivenUpCall,
  queue: string,
  diedAt: number,
  terms: PayloadTerms,
): Promise<DeadLetter> {
  const { operation, version, args, trace } = call;
  const source = letterSource(call.source);
  const id = call.id ?? newLetterId(diedAt);
  const payload = await (call.payload === undefined
    ? packPayload(args, version, boundTo(id, operation, version), terms)
    : packStored({ id, operation, payload: call.payload }, terms));
  const idempotencyKey = storedKey(call.idempotencyKey, terms);
  return Object.freeze<DeadLetter>({
    id,
    queue,
    operation,
    payload: idempotencyKey === call.idempotencyKey ? payload : withOtherKey(payload),
    error: describeError(call.error),
    reason: call.reason,
    attempts: call.attempts,
    history: longerHistory([], call.history),
    firstFailedAt: call.firstFailedAt,
    lastFailedAt: call.failedAt,
    diedAt,
    idempotencyKey,
    ...(trace === undefined ? undefined : { trace }),
    redrives: 0,
    state: { is: 'dead' },
    ...(source === undefined ? undefined : { source }),
  });
}

/** A redrive asks the payload what is not as the call had it. */
function withOtherKey(payload: StoredPayload): StoredPayload {
  return { ...payload, altered: [...payload.altered, 'idempotency_key'] };
}
