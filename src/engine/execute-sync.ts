import type { AttemptFunction } from './attempt.ts';
import { Call, type Verdict } from './call.ts';
import { CallLimits } from './call-limits.ts';
import { classify } from './classify.ts';
import { reportFault } from './faults.ts';
import { openCall } from './guard.ts';
import type { ErrorClass, StopReason } from './outcome.ts';
import type { PerCall } from './per-call.ts';
import { infoFor, type Policy } from './policy.ts';
import { read } from './read.ts';
import { refuseOptions } from './refuse-options.ts';
import { runtime } from './runtime.ts';
import { handleStrayPromise } from './stray-promise.ts';
import { checkTerms } from './validate.ts';

/** The loop without promises: it blocks the thread while it waits. */
export function executeSync<T>(policy: Policy, fn: AttemptFunction<T>, perCall: PerCall): T {
  const { signal, deadline } = perCall;
  refuseOptions(policy, 'retrySync', REFUSED);
  checkTerms(signal, deadline);
  if (isAborted(signal)) return ended(new Call(policy, fn, perCall, undefined), 'aborted');
  const observer = policy.observer ?? runtime.observer;
  const call = new Call(
    policy,
    fn,
    perCall,
    observer === undefined ? undefined : openCall(observer, infoFor(policy, fn)),
  );
  if (policy.limits !== undefined) call.limits = new ImpatientLimits(policy.limits);
  for (;;) {
    const barrier = admission(call);
    if (barrier !== undefined) return ended(call, barrier);
    const outcome = attempt(call);
    if ('value' in outcome) return call.succeed(outcome.value);
    if (isAborted(signal)) call.interruption = 'aborted';
    // Only a budget that may take its time would answer later.
    const next = call.failed(outcome.error, classOf(call, outcome.error)) as Verdict;
    if (next !== 'retry') return ended(call, next);
    call.block();
  }
}

const REFUSED = {
  attemptTimeout: 'it cannot interrupt a function',
  bulkhead: 'nothing else runs while it does',
  hedge: 'nothing else runs while it does',
};

/** Waits until the limits let the next attempt through; gives the reason to stop when they do not. */
function admission<T>(call: Call<T>): StopReason | undefined {
  for (;;) {
    const answer = call.obstacle() ?? call.enter();
    if (typeof answer !== 'number') return answer;
    call.policy.clock.block(answer);
  }
}

/** Nothing can be waited for here, so a budget that has to ask elsewhere grants nothing. */
class ImpatientLimits extends CallLimits {
  override withdraw(error: unknown, errorClass: ErrorClass): boolean {
    const answer = super.withdraw(error, errorClass);
    if (typeof answer === 'boolean') return answer;
    reportFault('limit', new TypeError('retrySync: the budget answered with a promise'));
    return false;
  }
}

/** What the caller gets; a fallback that answers with a promise has nothing for this one. */
function ended<T>(call: Call<T>, reason: StopReason): T {
  const value = call.giveUp(reason);
  if (!isThenable(value)) return value;
  value.then(undefined, () => undefined);
  reportFault('fallback', new TypeError('retrySync: the fallback answered with a promise'));
  throw call.lastError;
}

/** Asked anew after each attempt, which may have aborted the signal itself. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function attempt<T>(call: Call<T>): { readonly value: T } | { readonly error: unknown } {
  let value: T | PromiseLike<T>;
  try {
    value = call.attemptSync();
  } catch (error) {
    return { error };
  }
  if (isThenable(value)) {
    // Its own `then` may do anything, so it is left to a promise to call it.
    new Promise(resolve => resolve(value)).catch(() => undefined);
    return { error: new PromiseReturnedError() };
  }
  if (!isRefused(call, value)) return { value };
  return { error: call.refuse(value) };
}

/** Marked as not retryable, so that no `retryOn` can make it worse. */
class PromiseReturnedError extends TypeError {
  readonly retryable = false as const;

  constructor() {
    super('retrySync: the function returned a promise; use retry');
  }
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof read(value, 'then') === 'function';
}

function isRefused<T>(call: Call<T>, value: T): boolean {
  try {
    const answer: unknown = call.policy.retryOnResult?.(value);
    handleStrayPromise('predicate', answer);
    return answer === true;
  } catch (fault) {
    reportFault('predicate', fault);
    return false;
  }
}

function classOf<T>(call: Call<T>, error: unknown): ErrorClass {
  if (call.interruption !== undefined) return 'cancelled';
  if (call.isRefused) return 'transient';
  const known = classify(call.policy.retryOn, error, call.attempts);
  if (typeof known === 'string') return known;
  reportFault('predicate', new TypeError('retrySync: retryOn answered with a promise'));
  return 'permanent';
}
