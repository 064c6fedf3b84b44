import { Attempt, type AttemptFunction } from './attempt.ts';
import { Call, type Verdict } from './call.ts';
import { type CallLimits, startLimits } from './call-limits.ts';
import { classify } from './classify.ts';
import { reportFault } from './faults.ts';
import { openCall } from './guard.ts';
import { withLimits } from './limit.ts';
import type { ErrorClass, StopReason } from './outcome.ts';
import type { PerCall } from './per-call.ts';
import { infoFor, type Policy } from './policy.ts';
import { runtime } from './runtime.ts';
import { checkTerms } from './validate.ts';

/** Runs one call of `fn` under a policy: resolves with its value, or rejects with its last error, untouched. */
export function execute<T>(policy: Policy, fn: AttemptFunction<T>, perCall: PerCall): Promise<T> {
  const { signal, deadline } = perCall;
  checkTerms(signal, deadline);
  if (signal?.aborted === true) return neverStarted(new Call(policy, fn, perCall, undefined));
  const observer = policy.observer ?? runtime.observer;
  const scope = observer === undefined ? undefined : openCall(observer, infoFor(policy, fn));
  const isBare = scope === undefined && signal === undefined && deadline === undefined;
  return isBare && policy.plain && runtime.testing === undefined && runtime.nesting === undefined
    ? firstTry(policy, fn)
    : run(new Call(policy, fn, perCall, scope));
}

/**
 * The path of a call that nobody watches and no limit bounds. Nearly every call succeeds at once, so no clock is read
 * and nothing is built but the attempt itself; the loop is entered with the first failure.
 *
 * It chains on the function's own promise, since an async function around it would cost as much as all the rest.
 */
function firstTry<T>(policy: Policy, fn: AttemptFunction<T>): Promise<T> {
  const limits = startLimits(policy.limits);
  // Bound, since a closure and its context take half as much memory again, nearly always for nothing.
  const recover = enterLoop.bind(policy, fn, ++runtime.sequence, limits) as (error: unknown) => Promise<T>;
  try {
    const result = fn(new Attempt(1, policy.maxAttempts, undefined, 0));
    return Promise.resolve(result).then(limits && credit(limits), recover);
  } catch (error) {
    return recover(error);
  }
}

/** Goes on behind a first attempt that has failed. */
function enterLoop<T>(
  this: Policy,
  fn: AttemptFunction<T>,
  startedAs: number,
  limits: CallLimits | undefined,
  error: unknown,
): Promise<T> {
  const call = new Call(this, fn, {}, undefined, { startedAs, limits });
  return run(call, judge(call, error));
}

/** Tells the limits of the success on its way to the caller. */
function credit<T>(limits: CallLimits): (value: T) => T {
  return value => {
    limits.succeeded();
    return value;
  };
}

async function neverStarted<T>(call: Call<T>): Promise<T> {
  return call.giveUp('aborted');
}

/**
 * The loop: ask the limits, attempt, decide, wait. It starts with the verdict on an attempt that has been made already,
 * if any. One variable holds whatever is known of the next step, since thousands of calls may wait here at the same
 * time, and each keeps every variable of the loop.
 */
async function run<T>(call: Call<T>, known?: Verdict | Promise<Verdict>): Promise<T> {
  let verdict = known;
  for (;;) {
    // Between the answer and here somebody may have aborted the call.
    if (verdict === undefined && call.mustAsk) verdict = (await admission(call)) ?? call.obstacle();
    if (verdict === undefined) {
      try {
        const value = await call.attempt();
        if (call.policy.retryOnResult === undefined || !(await isRefused(call, value))) return call.succeed(value);
        verdict = judge(call, call.refuse(value));
      } catch (error) {
        verdict = judge(call, error);
      }
    }
    if (typeof verdict !== 'string') verdict = await verdict;
    if (verdict !== 'retry') return giveUp(call, verdict);
    try {
      await call.pause();
    } catch {
      return call.giveUp('aborted');
    }
    verdict = call.obstacle();
  }
}

/** The call gives up. A fallback may take longer than the call might, but no longer than the caller wants it. */
function giveUp<T>(call: Call<T>, reason: StopReason): T | PromiseLike<T> {
  const { signal } = call;
  if (call.policy.fallback === undefined || signal === undefined) return call.giveUp(reason);
  if (signal.aborted) return call.giveUp('aborted');
  return withLimits(call.limitsOf(undefined, Infinity), () => call.giveUp(reason));
}

/** Waits until the limits let the next attempt through; gives the reason to stop when they do not. */
export async function admission<T>(call: Call<T>): Promise<StopReason | undefined> {
  for (;;) {
    const obstacle = call.obstacle();
    if (obstacle !== undefined) return obstacle;
    const answer = call.enter();
    if (typeof answer !== 'number') return answer;
    try {
      await call.linger(answer);
    } catch {
      return 'aborted';
    }
  }
}

/** What one attempt led to: the value that ends the call, or what follows the failure. */
export type Step<T> = { readonly value: T } | Verdict;

/** One turn of the loop without the wait, for a form that has a loop of its own. Never rejects. */
export async function makeAttempt<T>(call: Call<T>): Promise<Step<T>> {
  try {
    const value = await call.attempt();
    if (!(await isRefused(call, value))) return { value: call.succeed(value) };
    return judge(call, call.refuse(value));
  } catch (error) {
    return judge(call, error);
  }
}

/** Classifies what an attempt threw, and decides what follows. */
function judge<T>(call: Call<T>, error: unknown): Verdict | Promise<Verdict> {
  const known = classOf(call, error);
  return typeof known === 'string' ? call.failed(error, known) : known.then(late => call.failed(error, late));
}

function classOf<T>(call: Call<T>, error: unknown): ErrorClass | Promise<ErrorClass> {
  if (call.interruption !== undefined) return call.interruption === 'aborted' ? 'cancelled' : 'transient';
  if (call.isRefused) return 'transient';
  const known = classify(call.policy.retryOn, error, call.attempts);
  return typeof known === 'string' ? known : patiently(call, known);
}

/** Waits for an asynchronous classifier, unless the call is interrupted meanwhile. */
async function patiently<T>(call: Call<T>, known: Promise<ErrorClass>): Promise<ErrorClass> {
  try {
    return await call.wait(() => known);
  } catch {
    return 'cancelled';
  }
}

async function isRefused<T>(call: Call<T>, value: T): Promise<boolean> {
  const { retryOnResult } = call.policy;
  if (retryOnResult === undefined) return false;
  try {
    return (await call.wait(async () => retryOnResult(value))) === true;
  } catch (fault) {
    if (call.interruption !== undefined) throw fault;
    reportFault('predicate', fault);
    return false;
  }
}
