import type { AttemptContext } from '../../engine/attempt.ts';
import { classify, type RetryOn } from '../../engine/classify.ts';
import { execute } from '../../engine/execute.ts';
import type { PerCall } from '../../engine/per-call.ts';
import type { Policy } from '../../engine/policy.ts';
import { isWithoutEffect } from './classify-sql-error.ts';
import { Effect, rememberUnknown } from './outcome.ts';

/** How one call of a database differs from others of its policy. */
export interface CallTerms<T> {
  /** One attempt. It tells `effect` what it has sent that may last. */
  work(attempt: AttemptContext, effect: Effect): Promise<T>;
  /** Decides on errors where the policy has no `retryOn`. */
  readonly retryOn: RetryOn;
  /** True for an error after which another attempt cannot succeed, whatever its class. */
  isFinal?(error: unknown): boolean;
  /** Told when it is not known what became of the attempt that has just failed. Answers true when the next can find out. */
  onUnknown?(): boolean;
}

/**
 * Runs a call under a policy. What may have been carried out is not repeated: an error that leaves that open is
 * permanent, and remembered for `isOutcomeUnknown`.
 */
export function runCall<T>(policy: Policy, perCall: PerCall, terms: CallTerms<T>): Promise<T> {
  /** Of the latest attempt; one that was left behind has its own. */
  let effect = new Effect();
  const userRetryOn = policy.retryOn ?? terms.retryOn;
  const retryOn: RetryOn = (error, { attempt }) => {
    if (effect.isUnknown(() => isWithoutEffect(error))) return terms.onUnknown?.() === true ? 'transient' : 'permanent';
    return terms.isFinal?.(error) === true ? 'permanent' : classify(userRetryOn, error, attempt);
  };
  const attemptOnce = async (attempt: AttemptContext): Promise<T> => {
    const own = new Effect();
    effect = own;
    const { signal } = attempt;
    const onAbort = (): void => {
      if (own.isUnknown(() => false)) rememberUnknown(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await terms.work(attempt, own);
    } catch (error) {
      if (own.isUnknown(() => isWithoutEffect(error))) rememberUnknown(error);
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  };
  return execute<T>({ ...policy, retryOn }, attemptOnce, perCall);
}
