import type { AttemptFunction } from '../../engine/attempt.ts';
import { Call } from '../../engine/call.ts';
import { CallLimits } from '../../engine/call-limits.ts';
import { admission, makeAttempt } from '../../engine/execute.ts';
import { forwardAbort } from '../../engine/forward-abort.ts';
import { openCall } from '../../engine/guard.ts';
import { callHook } from '../../engine/hook.ts';
import type { CallInfo } from '../../engine/observer.ts';
import type { PerCall } from '../../engine/per-call.ts';
import { infoFor, type Policy } from '../../engine/policy.ts';
import { runtime } from '../../engine/runtime.ts';
import { checkTerms } from '../../engine/validate.ts';
import type { LetterTrace } from './letter.ts';
import type { Wait } from './wait-keeper.ts';

/** How a stepped call is run. */
export interface Steps extends PerCall {
  /** Where the call had got to; undefined for one that begins. */
  readonly from: Begun | undefined;
  /**
   * Asked before each wait, and given what aborts it. The reason with which the call leaves this process, or undefined:
   * then it waits here. Must not reject.
   */
  leave(at: WaitingPoint, signal: AbortSignal): Promise<unknown>;
}

/** Where a call is before a wait. */
export interface WaitingPoint {
  readonly wait: Wait;
  /** Attempts that were made. */
  readonly attempts: number;
  /** What the last one threw. */
  readonly error: unknown;
}

/** What was done of a call before it came here. */
export interface Begun {
  readonly attempts: number;
  readonly error: unknown;
  readonly wait: Wait;
  /** Milliseconds that it has left of its `maxElapsed`; `Infinity` without a limit. */
  readonly remainingMs: number;
  readonly trace: LetterTrace | undefined;
}

/**
 * What `execute` does, for a call that may leave before a wait or comes from somewhere else. To observers a call that
 * leaves was aborted with the reason that `leave` gave, and one that comes here is a new call whose attempts are counted on.
 */
export async function runSteps<T>(given: Policy, fn: AttemptFunction<T>, steps: Steps): Promise<T> {
  const { signal, deadline, from } = steps;
  checkTerms(signal, deadline);
  const own = new AbortController();
  const release = forwardAbort(signal, own);
  let wait: Wait | undefined;
  const policy: Policy = {
    ...given,
    maxElapsed: Math.min(given.maxElapsed, from?.remainingMs ?? Infinity),
    onRetry: event => {
      wait = event;
      if (given.onRetry !== undefined) callHook(given.onRetry, event);
    },
  };
  const call = open(policy, fn, { signal: own.signal, deadline }, from);
  try {
    if (from !== undefined && from.attempts >= call.maxAttempts) return await call.giveUp('attempts_exhausted');
    for (;;) {
      const barrier = await admission(call);
      if (barrier !== undefined) return await call.giveUp(barrier);
      const step = await makeAttempt(call);
      if (typeof step === 'object') return step.value;
      if (step !== 'retry') return await call.giveUp(step);
      if (!(await isOver(call, policy, wait as unknown as Wait, steps, own))) return await call.giveUp('aborted');
    }
  } finally {
    release?.();
  }
}

/** Waits; false when the call is to end instead. */
async function isOver<T>(
  call: Call<T>,
  { clock, hold }: Policy,
  wait: Wait,
  steps: Steps,
  own: AbortController,
): Promise<boolean> {
  const askedAt = clock.now();
  const reason = await steps.leave({ wait, attempts: call.attempts, error: call.lastError }, own.signal);
  if (reason !== undefined) {
    own.abort(reason);
    return false;
  }
  try {
    const leftMs = wait.delayMs - (clock.now() - askedAt);
    if (leftMs > 0) await clock.sleep(leftMs, own.signal, hold);
    return !own.signal.aborted;
  } catch {
    return false;
  }
}

function open<T>(policy: Policy, fn: AttemptFunction<T>, perCall: PerCall, from: Begun | undefined): Call<T> {
  const observer = perCall.signal?.aborted === true ? undefined : (policy.observer ?? runtime.observer);
  const info = infoFor(policy, fn);
  if (from === undefined) {
    return new Call(policy, fn, perCall, observer === undefined ? undefined : openCall(observer, info));
  }
  const linked: CallInfo = from.trace === undefined ? info : Object.freeze({ ...info, link: from.trace });
  const scope = observer === undefined ? undefined : openCall(observer, linked);
  // What the call paid in when it began, it has paid in.
  const limits = policy.limits === undefined ? undefined : new CallLimits(policy.limits);
  const call = new Call(policy, fn, perCall, scope, { startedAs: ++runtime.sequence, limits });
  call.attempts = from.attempts;
  call.delayMs = from.wait.delayMs;
  call.delaySource = from.wait.delaySource;
  call.remember(from.error);
  return call;
}
