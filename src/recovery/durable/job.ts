import { describeError } from '../../engine/describe-error.ts';
import { longerHistory } from '../dead-letters/letter.ts';
import type { StoredPayload } from '../dead-letters/stored-payload.ts';
import type { ContinuedCall, WaitingCall } from '../dead-letters/wait-keeper.ts';

/** A call as a job of the engine: plain JSON, bounded in size, without secrets. */
export interface Job extends Omit<ContinuedCall, 'deadline'> {
  readonly format: typeof JOB_FORMAT;
  readonly deadline?: number;
}

/** The version of the data of a job. */
export const JOB_FORMAT = 1;

/** Writes a call down. */
export function writeJob(id: string, payload: StoredPayload, call: WaitingCall): Job {
  const { operation, error, attempts, history, firstFailedAt, failedAt, idempotencyKey, trace, source } = call;
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
    ...(source === undefined ? undefined : { source: { ...source, topic: source.topic.slice(0, LONGEST_TOPIC) } }),
    startedAt,
    ...(deadline === undefined ? undefined : { deadline }),
    wait,
  };
}

export const LONGEST_TOPIC = 249;
