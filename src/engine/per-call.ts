import type { CallLimits } from './call-limits.ts';
import type { CallScope } from './observer.ts';
import type { Policy } from './policy.ts';

/** What one call has of its own. */
export interface PerCall {
  readonly signal?: AbortSignal | undefined;
  readonly deadline?: Date | number | undefined;
}

/** What is known of a call whose first attempt has been made without it. */
export interface BegunCall {
  readonly startedAs: number;
  readonly limits: CallLimits | undefined;
}

/** The time that a call may take. */
export interface CallTime {
  /** On the policy's clock. */
  readonly startedAt: number;
  /** Milliseconds; `Infinity` without a limit. */
  readonly limitMs: number;
}

/** The time of a call that starts now; undefined where nothing needs the clock: neither a watcher nor a limit. */
export function timeOf(policy: Policy, { deadline }: PerCall, scope: CallScope | undefined): CallTime | undefined {
  const { clock, maxElapsed } = policy;
  if (deadline === undefined && maxElapsed === Infinity && scope === undefined) return undefined;
  const untilDeadline = deadline === undefined ? Infinity : Number(deadline) - clock.wallNow();
  return { startedAt: clock.now(), limitMs: Math.min(maxElapsed, untilDeadline) };
}
