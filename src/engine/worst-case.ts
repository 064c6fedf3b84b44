import { backoffDelay } from './backoff.ts';
import { longestDelay } from './jitter.ts';
import { oneOf } from './option-checks.ts';
import type { Policy } from './policy.ts';
import { checkMilliseconds } from './validate.ts';

/** The longest time that a call of `policy` can take, in milliseconds; see `RetryPolicy.worstCase`. */
export function worstCase(policy: Policy, attemptMs: number, hints: 'without_hints' | 'with_hints'): number {
  checkMilliseconds('attemptMs', attemptMs);
  checkHints('hints', hints);
  const attempt = Math.min(attemptMs, policy.attemptTimeout);
  const retries = policy.maxAttempts - 1;
  if (retries === Infinity) return policy.maxElapsed;
  let total = attempt;
  let delay = 0;
  for (let retry = 1; retry <= Math.min(retries, ADDED_SINGLY); retry++) {
    delay = longestWait(policy, retry, delay, hints);
    total += delay + attempt;
  }
  total += Math.max(0, retries - ADDED_SINGLY) * (policy.maxDelay + attempt);
  return Math.min(total, policy.maxElapsed);
}

const checkHints = oneOf('without_hints', 'with_hints');

/** Beyond this many retries every further delay counts as `maxDelay`, so that the sum takes no time itself. */
const ADDED_SINGLY = 10_000;

function longestWait(policy: Policy, attempt: number, previousDelay: number, hints: string): number {
  if (hints === 'with_hints' && policy.retryAfter !== false) return policy.maxDelay;
  // What a function will return is not known; maxDelay is what it cannot pass.
  if (typeof policy.backoff === 'function') return policy.maxDelay;
  const delay = backoffDelay(policy, attempt, undefined);
  return longestDelay(policy, delay, previousDelay);
}
