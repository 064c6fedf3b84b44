import { randomUUID } from 'node:crypto';
import {
  type Check,
  checkName,
  checkOptions,
  integerFrom,
  message,
  ofType,
  oneOf,
} from '../../engine/option-checks.ts';
import { STOP_REASONS, type StopReason } from '../../engine/outcome.ts';
import type { LetterSource } from './letter.ts';
import type { GivenUpCall } from './letter-keeper.ts';
import { currentTrace } from './letter-tracing.ts';
import { operations } from './operation-registry.ts';

/** A call that failed, and of which a letter is to be made by hand. */
export interface FailedCall {
  /** The name under which the handler is defined, or will be where it is redriven. */
  readonly operation: string;
  /** What the handler is to be called with. */
  readonly args: readonly unknown[];
  /** Why it failed: any value at all. What is stored of it is bounded and redacted. */
  readonly error: unknown;
  /** Default `'not_retryable'`. */
  readonly reason?: StopReason;
  /** How often it was tried. Default 1. Range 0 to 1000000. */
  readonly attempts?: number;
  /** The version of the arguments. Default: that of the operation where this process has defined it, else 1. */
  readonly version?: number;
  /** What redrives send along; see `idempotencyKey` of `defineOperation`. Default: a random one. */
  readonly idempotencyKey?: string;
  /** Where the work came from. */
  readonly source?: LetterSource;
}

/**
 * The call as `defineOperation` would have told it, at `now` in milliseconds since 1970.
 *
 * @throws TypeError or RangeError, naming the field, the value and what is allowed
 */
export function givenUp(call: FailedCall, now: number): GivenUpCall {
  checkOptions('the fields of a call', call, CHECKS);
  for (const name of ['operation', 'args'] as const) CHECKS[name](name, call[name]);
  const { operation, args, error, source } = call;
  return {
    operation,
    args,
    error,
    source,
    version: call.version ?? operations.get(operation)?.version ?? 1,
    reason: call.reason ?? 'not_retryable',
    attempts: call.attempts ?? 1,
    idempotencyKey: call.idempotencyKey ?? randomUUID(),
    history: [],
    firstFailedAt: now,
    failedAt: now,
    trace: currentTrace(),
  };
}

const CHECKS: Readonly<Record<keyof FailedCall, Check>> = {
  operation: checkName,
  args: (name, value) => {
    if (!Array.isArray(value)) throw new TypeError(message(name, value, 'the list of arguments'));
  },
  error: () => undefined,
  reason: oneOf(...STOP_REASONS),
  attempts: integerFrom(0, 1_000_000),
  version: integerFrom(1, 1_000_000),
  idempotencyKey: ofType(
    'a string that is not empty',
    v => typeof v === 'string',
    v => v !== '',
  ),
  source: ofType('a LetterSource', v => typeof (v as LetterSource | null)?.topic === 'string'),
};
