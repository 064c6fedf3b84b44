import type { Attempt } from './attempt.ts';
import type { CallLimits } from './call-limits.ts';
import { classify } from './classify.ts';
import { LONGEST_TIMER_MS } from './clock.ts';
import type { Interruption } from './decide.ts';
import { HedgeLostError } from './errors.ts';
import { reportFault } from './faults.ts';
import type { Hedge } from './hedge.ts';
import { type Limits, withLimits } from './limit.ts';
import type { DelaySource } from './outcome.ts';
import type { Policy } from './policy.ts';
import { handleStrayPromise } from './stray-promise.ts';
import type { Watch } from './watch.ts';

/**
 * Runs an attempt, and a second one beside it when the first is slow: the first to succeed is the outcome, and the
 * other is aborted. One that fails waits for the other, unless it failed for good.
 * (Source: J. Dean and L. A. Barroso, "The Tail at Scale", CACM 56(2), 2013: hedged requests.)
 */
export async function hedged<T>(call: HedgedCall<T>, hedge: Hedge): Promise<T> {
  const delayMs = delayOf(hedge);
  const first = startStrand(call, hedge);
  if (delayMs === undefined || (await settlesWithin(call, first, delayMs))) return first.promise;
  const second = await startBeside(call, hedge, first, delayMs);
  return second === undefined ? first.promise : fasterOf(call, first, second);
}

/** What hedging asks of a call. */
export interface HedgedCall<T> {
  readonly policy: Policy;
  /** Attempts that were begun. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** Why the call cannot go on, once that is so. */
  readonly interruption: Interruption | undefined;
  /** Of the attempt that the call goes on with. */
  watch: Watch | undefined;
  limits: CallLimits | undefined;
  attemptStartedAs: number;
  begin(delayMs?: number, delaySource?: DelaySource): Attempt;
  limitsOf(attempt: Attempt): Limits;
  invoke(attempt: Attempt): T | PromiseLike<T>;
  remember(error: unknown): void;
}

/** One of two attempts that run at the same time. */
interface Strand<T> {
  readonly promise: Promise<T>;
  /** Aborts the attempt; nothing of it is waited for or told afterwards. */
  readonly cut: () => void;
  readonly watch: Watch | undefined;
  readonly limits: CallLimits | undefined;
  readonly startedAs: number;
}

/** Starts the next attempt of the call, as something that can be cut off. */
function startStrand<T>(call: HedgedCall<T>, hedge: Hedge, delayMs?: number, delaySource?: DelaySource): Strand<T> {
  const attempt = call.begin(delayMs, delaySource);
  const { clock } = call.policy;
  const startedAt = clock.now();
  let cut = (): void => undefined;
  const onStart = (byHand: () => void): void => {
    cut = byHand;
  };
  const promise = withLimits({ ...call.limitsOf(attempt), onStart }, () => call.invoke(attempt));
  promise.then(
    () => recordDuration(hedge, clock.now() - startedAt),
    () => undefined,
  );
  return { promise, cut, watch: call.watch, limits: call.limits, startedAs: call.attemptStartedAs };
}

/** Starts a second attempt beside one that is slow, unless the limits say no or the first settles meanwhile. */
async function startBeside<T>(
  call: HedgedCall<T>,
  hedge: Hedge,
  slow: Strand<T>,
  delayMs: number,
): Promise<Strand<T> | undefined> {
  const { attempts } = call;
  if (attempts >= call.maxAttempts) return undefined;
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  slow.promise.then(over, over);
  const limits = call.limits?.beside();
  const granted =
    limits === undefined || (limits.enter(attempts + 1).next === 'go' && limits.withdraw(undefined, 'transient'));
  // A budget that takes its time may outlive the first attempt.
  const isWanted = typeof granted === 'object' ? (await granted) && !isOver : granted;
  if (!isWanted) {
    limits?.leave('ignored', undefined);
    return undefined;
  }
  call.watch?.event({ type: 'hedge_started', attempt: attempts, nextAttempt: attempts + 1, delayMs });
  call.watch = slow.watch?.beside();
  call.limits = limits;
  return startStrand(call, hedge, delayMs, 'hedge');
}

async function fasterOf<T>(call: HedgedCall<T>, first: Strand<T>, second: Strand<T>): Promise<T> {
  const strands = [first, second] as const;
  const soonest = await Promise.race(strands.map(async (strand, i) => ({ i, ...(await outcome(strand)) })));
  const strand = strands[soonest.i] as Strand<T>;
  const other = strands[1 - soonest.i] as Strand<T>;
  if ('value' in soonest) {
    lose(call, other);
    adopt(call, strand);
    return soonest.value;
  }
  if (isFinal(call, soonest.error)) {
    lose(call, other);
    adopt(call, strand);
    throw soonest.error;
  }
  failBeside(call, strand, soonest.error);
  adopt(call, other);
  return other.promise;
}

/** The call goes on with this one of its attempts: what follows is about it. */
function adopt<T>(call: HedgedCall<T>, { watch, limits, startedAs }: Strand<T>): void {
  call.watch = watch;
  call.limits = limits;
  call.attemptStartedAs = startedAs;
}

function lose<T>(call: HedgedCall<T>, strand: Strand<T>): void {
  strand.cut();
  strand.limits?.leave('ignored', undefined);
  const error = new HedgeLostError();
  strand.watch?.attemptFailed(call.policy.clock.now(), {
    error,
    errorClass: 'cancelled',
    next: 'hedge',
    nextDelayMs: 0,
  });
}

/** An attempt has failed while the other one still runs. */
function failBeside<T>(call: HedgedCall<T>, strand: Strand<T>, error: unknown): void {
  const { clock, retryOn } = call.policy;
  const known = classify(retryOn, error, call.attempts);
  const errorClass = typeof known === 'string' ? known : 'transient';
  strand.limits?.failed(error, errorClass);
  strand.watch?.attemptFailed(clock.now(), { error, errorClass, next: 'hedge', nextDelayMs: 0 });
  call.remember(error);
}

/** True for a failure that another attempt cannot mend. */
function isFinal<T>(call: HedgedCall<T>, error: unknown): boolean {
  if (call.interruption !== undefined) return true;
  const known = classify(call.policy.retryOn, error, call.attempts);
  return known === 'permanent' || known === 'cancelled';
}

function delayOf(hedge: Hedge): number | undefined {
  try {
    const delayMs = hedge.delayMs();
    if (typeof delayMs === 'number' && delayMs >= 0) return Math.min(delayMs, LONGEST_TIMER_MS);
    handleStrayPromise('limit', delayMs);
  } catch (fault) {
    reportFault('limit', fault);
  }
  return undefined;
}

function recordDuration(hedge: Hedge, durationMs: number): void {
  try {
    handleStrayPromise('limit', hedge.record?.(durationMs));
  } catch (fault) {
    reportFault('limit', fault);
  }
}

/** True when the strand has settled before the time is over. */
function settlesWithin<T>(call: HedgedCall<T>, strand: Strand<T>, ms: number): Promise<boolean> {
  const { clock, hold } = call.policy;
  return new Promise(resolve => {
    const stop = clock.timer(ms, () => resolve(false), hold);
    const settled = (): void => {
      stop();
      resolve(true);
    };
    strand.promise.then(settled, settled);
  });
}

async function outcome<T>(strand: Strand<T>): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await strand.promise };
  } catch (error) {
    return { error };
  }
}
