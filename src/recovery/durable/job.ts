import { describeError } from '../../engine/describe-error.ts';
import { longerHistory } from '../dead-letters/letter.ts';
import { letterSource } from '../dead-letters/letter-source.ts';
import type { StoredPayload } from '../dead-letters/stored-payload.ts';
import type { ContinuedCall, WaitingCall } from '../dead-letters/wait-keeper.ts';

/** A call as a job of the engine: plain JSON, bounded in size, without secrets. */
export interface Job extends Omit<ContinuedCall, 'deadline'> {
  readonly format: typeof JOB_FORMAT;
  readonly deadline?: number | undefined;
  /** How often workers that could not go on with it have put it back; 0 where it is left out. The same in every format. */
  readonly putBack?: number;
}

/** The version of the data of a job. */
export const JOB_FORMAT = 1;

/** Writes a call down. */
export function writeJob(id: string, payload: StoredPayload, call: WaitingCall): Job {
  const { operation, error, attempts, history, firstFailedAt, failedAt, idempotencyKey, trace } = call;
  const source = letterSource(call.source);
  const { type, message, code } = describeError(error);
  const { startedAt, deadline, wait } = call;
  return {
    format: JOB_FORMAT,
    id,
    operation,
    payload,
    error: { type, message, ...(code === undefined ? undefined : { code }) },
    attempts,
    history: longerHistory([], history),
    firstFailedAt,
    lastFailedAt: failedAt,
    idempotencyKey,
    ...(trace === undefined ? undefined : { trace }),
    ...(source === undefined ? undefined : { source }),
    startedAt,
    ...(deadline === undefined ? undefined : { deadline }),
    wait,
  };
}

/** The same call as a job that was put back. */
export function writeAgain(call: ContinuedCall, putBack: number): Job {
  return { format: JOB_FORMAT, ...call, putBack };
}
