import type { AttemptContext, AttemptFunction } from '../engine/attempt.ts';
import { Call } from '../engine/call.ts';
import { admission, makeAttempt, type Step } from '../engine/execute.ts';
import { forwardAbort } from '../engine/forward-abort.ts';
import { openCall } from '../engine/guard.ts';
import type { RetryOptions } from '../engine/options.ts';
import type { StopReason } from '../engine/outcome.ts';
import type { PerCall } from '../engine/per-call.ts';
import { infoFor, type Policy } from '../engine/policy.ts';
import { refuseOptions } from '../engine/refuse-options.ts';
import { runtime } from '../engine/runtime.ts';
import { checkTerms } from '../engine/validate.ts';
import { policyFor } from './policy-for.ts';
import { requireFunction } from './require-function.ts';
import type { RetryPolicy } from './retry-policy.ts';

/**
 * The attempts of one call, for code that reads better as a loop. The attempt that succeeds ends the loop; when the
 * policy says stop, the loop throws the last error, untouched. `break`, `return` and `throw` end the call, and abort an
 * attempt that still runs. The call begins with the first turn of the loop.
 *
 * @throws TypeError or RangeError at once, when an option is wrong
 *
 * @example
 * ```ts
 * for await (const attempt of attempts({ operation: 'load_user', maxAttempts: 4 })) {
 *   const result = await attempt.run(({ signal }) => loadUser(id, signal));
 *   if (result.ok) return result.value;
 * }
 * ```
 */
export function attempts(options?: RetryOptions<never> | RetryPolicy<never>): AsyncIterableIterator<IteratedAttempt> {
  const policy = policyFor(options);
  refuseOptions(policy, 'attempts', {
    fallback: 'the loop has no value of its own to replace',
    hedge: 'the body of the loop makes one attempt at a time',
  });
  return new AttemptIterator(policy, options ?? {});
}

/** One turn of the loop over {@link attempts}. */
export interface IteratedAttempt {
  /** 1 for the first attempt. */
  readonly number: number;
  /** Total executions allowed, the first included. */
  readonly maxAttempts: number;
  /**
   * Makes the attempt; to be called once. It never rejects: after a failure the loop goes on, or throws.
   *
   * @throws TypeError when it is called a second time
   */
  run<T>(fn: AttemptFunction<T>): Promise<AttemptResult<T>>;
}

/** How an attempt of the loop ended. */
export type AttemptResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

type State =
  | { readonly at: 'start' }
  | { readonly at: 'attempt'; readonly run: 'open' | 'called' }
  | { readonly at: 'settled'; readonly step: Step<unknown> }
  | { readonly at: 'end' };

class AttemptIterator implements AsyncIterableIterator<IteratedAttempt> {
  readonly #policy: Policy;
  readonly #perCall: PerCall;
  /** Ends the call: with the caller's signal, and when the loop is left. */
  readonly #own: AbortController = new AbortController();
  #stopListening: (() => void) | undefined;
  #openedCall: Call<unknown> | undefined;
  #state: State = { at: 'start' };
  #fn: AttemptFunction<unknown> | undefined;

  constructor(policy: Policy, { signal, deadline }: PerCall) {
    checkTerms(signal, deadline);
    this.#policy = policy;
    this.#perCall = { signal, deadline };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<IteratedAttempt>> {
    const state = this.#state;
    switch (state.at) {
      case 'start':
        return this.#heeding(() => this.#enter());
      case 'attempt':
        this.#leave();
        throw new TypeError('attempts: the body of the loop must await attempt.run(…)');
      case 'settled':
        return this.#heeding(() => this.#after(state.step));
      case 'end':
        return { done: true, value: undefined };
    }
  }

  async return(): Promise<IteratorResult<IteratedAttempt>> {
    this.#leave();
    return { done: true, value: undefined };
  }

  /** Opened by the first turn: a loop that nobody runs has nothing to end. */
  get #call(): Call<unknown> {
    this.#openedCall ??= this.#open();
    return this.#openedCall;
  }

  #open(): Call<unknown> {
    const policy = this.#policy;
    const work = (attempt: AttemptContext): unknown => this.#fn?.(attempt);
    Object.defineProperty(work, 'name', { value: '' });
    const { signal } = this.#own;
    const observer = policy.observer ?? runtime.observer;
    const watched = observer !== undefined && !signal.aborted;
    const scope = watched ? openCall(observer, infoFor(policy, work)) : undefined;
    return new Call(policy, work, { signal, deadline: this.#perCall.deadline }, scope);
  }

  /** The caller's signal may outlive any number of loops, so it is watched only while the call is at work. */
  async #heeding<R>(work: () => Promise<R>): Promise<R> {
    const stopListening = forwardAbort(this.#perCall.signal, this.#own);
    this.#stopListening = stopListening;
    try {
      return await work();
    } finally {
      stopListening?.();
    }
  }

  async #after(step: Step<unknown>): Promise<IteratorResult<IteratedAttempt>> {
    if (typeof step === 'object') {
      this.#state = { at: 'end' };
      return { done: true, value: undefined };
    }
    if (step !== 'retry') return this.#giveUp(step);
    try {
      await this.#call.pause();
    } catch {
      return this.#giveUp('aborted');
    }
    return this.#enter();
  }

  async #enter(): Promise<IteratorResult<IteratedAttempt>> {
    // Between the answer and here the loop may have been left.
    const barrier = (await admission(this.#call)) ?? this.#call.obstacle();
    return barrier === undefined ? this.#turn() : this.#giveUp(barrier);
  }

  #giveUp(reason: StopReason): IteratorResult<IteratedAttempt> {
    if (this.#state.at !== 'end') {
      this.#state = { at: 'end' };
      this.#call.giveUp(reason);
    }
    // Only a result that was refused to the end comes here: the body has seen it already.
    return { done: true, value: undefined };
  }

  #turn(): IteratorResult<IteratedAttempt> {
    this.#state = { at: 'attempt', run: 'open' };
    const value: IteratedAttempt = {
      number: this.#call.attempts + 1,
      maxAttempts: this.#call.maxAttempts,
      run: fn => this.#run(fn),
    };
    return { done: false, value };
  }

  async #run<T>(fn: AttemptFunction<T>): Promise<AttemptResult<T>> {
    requireFunction('run', fn);
    if (this.#state.at !== 'attempt' || this.#state.run !== 'open') {
      throw new TypeError('attempts: attempt.run may be called once in each turn of the loop');
    }
    this.#state = { at: 'attempt', run: 'called' };
    this.#fn = fn;
    const step = await this.#heeding(async () => this.#call.obstacle() ?? (await makeAttempt(this.#call)));
    if (this.#state.at === 'attempt') this.#state = { at: 'settled', step };
    if (typeof step === 'object') return { ok: true, value: step.value as T };
    return { ok: false, error: step === 'aborted' ? this.#own.signal.reason : this.#call.lastError };
  }

  /** The body was left before the call was over. */
  #leave(): void {
    const state = this.#state;
    const call = this.#openedCall;
    this.#state = { at: 'end' };
    if (call === undefined || state.at === 'end') return;
    const step = state.at === 'settled' ? state.step : 'retry';
    if (typeof step === 'object') return;
    this.#stopListening?.();
    // Whatever runs or waits is aborted; the error of a call that rests between two attempts is that of the last one.
    this.#own.abort(state.at === 'settled' ? call.lastError : undefined);
    try {
      call.giveUp(step === 'retry' ? 'aborted' : step);
    } catch {
      // The caller chose to leave the loop, and with it the error.
    }
  }
}
