import type { AttemptFunction } from './attempt.ts';
import { Call } from './call.ts';
import { classify } from './classify.ts';
import { reportFault } from './faults.ts';
import { openCall } from './guard.ts';
import type { ErrorClass } from './outcome.ts';
import { infoFor, type Policy } from './policy.ts';
import { read } from './read.ts';
import { runtime } from './runtime.ts';

/** The loop without promises: it blocks the thread while it waits. */
export function executeSync<T>(policy: Policy, fn: AttemptFunction<T>, signal: AbortSignal | undefined): T {
  if (policy.attemptTimeout !== Infinity) {
    throw new TypeError(
      `attemptTimeout is ${policy.attemptTimeout}; it must be left out for retrySync, which cannot interrupt a function`,
    );
  }
  if (isAborted(signal)) return new Call(policy, fn, signal, undefined).giveUp('aborted');
  const observer = policy.observer ?? runtime.observer;
  const call = new Call(
    policy,
    fn,
    signal,
    observer === undefined ? undefined : openCall(observer, infoFor(policy, fn)),
  );
  for (;;) {
    const outcome = attempt(call);
    if ('value' in outcome) return call.succeed(outcome.value);
    if (isAborted(signal)) call.interruption = 'aborted';
    const next = call.failed(outcome.error, classOf(call, outcome.error));
    if (next !== 'retry') return call.giveUp(next);
    call.block();
    const obstacle = call.obstacle();
    if (obstacle !== undefined) return call.giveUp(obstacle);
  }
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
    value.then(undefined, () => undefined);
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
    return call.policy.retryOnResult?.(value) === true;
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
