import { callHook } from './hook.ts';
import type { DelaySource, ErrorClass } from './outcome.ts';
import type { Policy } from './policy.ts';
import type { Watch } from './watch.ts';

/** Tells whoever watches, and then the user's hook, that an attempt has failed and another one follows. */
export function announceRetry(
  call: AnnouncedCall,
  now: number,
  error: unknown,
  errorClass: ErrorClass,
  delayMs: number,
  delaySource: DelaySource,
): void {
  const { watch, attempts: attempt } = call;
  if (watch !== undefined) {
    watch.attemptFailed(now, { error, errorClass, next: 'retry', nextDelayMs: delayMs });
    watch.event({ type: 'retry_scheduled', attempt, nextAttempt: attempt + 1, delayMs, delaySource, error });
  }
  const { onRetry } = call.policy;
  if (onRetry === undefined) return;
  const { operation, maxAttempts } = call;
  callHook(onRetry, { operation, attempt, maxAttempts, error, delayMs, delaySource });
}

/** What is told of a call. */
export interface AnnouncedCall {
  readonly watch: Watch | undefined;
  readonly policy: Policy;
  readonly operation: string;
  readonly attempts: number;
  readonly maxAttempts: number;
}
