import type { Backoff } from './backoff.ts';
import type { LimitTerms } from './call-limits.ts';
import type { RetryOn } from './classify.ts';
import type { Clock, Hold } from './clock.ts';
import type { DecisionTerms } from './decide.ts';
import { tellPolicy } from './guard.ts';
import type { Hedge } from './hedge.ts';
import type { Jitter } from './jitter.ts';
import type { ConcurrencyLimit } from './limits.ts';
import { type Nested, prepareNesting } from './nesting.ts';
import type { AttributeValue, CallInfo, RetryObserver } from './observer.ts';
import { readOptions } from './option-checks.ts';
import { DEFAULTS, type Fallback, type RetryHookEvent, type RetryOptions, type StopHookEvent } from './options.ts';
import { read } from './read.ts';
import { runtime } from './runtime.ts';
import { systemClock } from './system-clock.ts';
import { validateOptions } from './validate.ts';

/** Options with their defaults, checked and frozen: what the engine works with. */
export interface Policy extends DecisionTerms {
  readonly operation: string | undefined;
  readonly maxAttempts: number;
  readonly initialDelay: number;
  readonly maxDelay: number;
  readonly exponentialBase: number;
  readonly jitter: Jitter;
  readonly backoff: Backoff;
  readonly retryOn: RetryOn | undefined;
  readonly retryOnResult: ((result: unknown) => boolean | PromiseLike<boolean>) | undefined;
  /** Milliseconds; `Infinity` for none. */
  readonly attemptTimeout: number;
  /** Milliseconds; `Infinity` for none. */
  readonly maxElapsed: number;
  readonly signal: AbortSignal | undefined;
  readonly deadline: Date | number | undefined;
  readonly retryAfter: boolean | ((failure: unknown) => number | undefined);
  readonly limits: LimitTerms | undefined;
  readonly bulkhead: ConcurrencyLimit | undefined;
  readonly hedge: Hedge | undefined;
  /** Undefined where there is none. */
  readonly fallback: Fallback<unknown> | undefined;
  readonly nested: Nested;
  readonly onRetry: ((event: RetryHookEvent) => void) | undefined;
  readonly onStop: ((event: StopHookEvent) => void) | undefined;
  readonly observer: RetryObserver | undefined;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly clock: Clock;
  readonly hold: Hold;
  /** True when a limit of time may end an attempt before it has settled by itself. */
  readonly limited: boolean;
  /** True when nothing has to be asked before or during an attempt but the function itself; a budget comes after. */
  readonly plain: boolean;
  /** The facts for observers, where the policy has a name of its own. */
  readonly info: CallInfo | undefined;
  /** The facts for observers by the names of functions, where it has none. */
  readonly infos: Map<string, CallInfo>;
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws TypeError or RangeError, naming the option, the value and what is allowed
 */
export function createPolicy(given: RetryOptions<never, unknown>): Policy {
  const options = readOptions('retry options', given) as RetryOptions<unknown, unknown>;
  validateOptions(options);
  const limited = options.attemptTimeout !== undefined || options.maxElapsed !== undefined;
  const nested = options.nested ?? DEFAULTS.nested;
  if (nested === 'outer') prepareNesting();
  return complete({
    operation: options.operation,
    maxAttempts: options.maxAttempts ?? DEFAULTS.maxAttempts,
    initialDelay: options.initialDelay ?? DEFAULTS.initialDelay,
    maxDelay: options.maxDelay ?? DEFAULTS.maxDelay,
    exponentialBase: options.exponentialBase ?? DEFAULTS.exponentialBase,
    jitter: options.jitter ?? DEFAULTS.jitter,
    backoff: copyBackoff(options.backoff ?? DEFAULTS.backoff),
    retryOn: options.retryOn,
    retryOnResult: options.retryOnResult,
    attemptTimeout: options.attemptTimeout ?? Infinity,
    maxElapsed: options.maxElapsed ?? Infinity,
    signal: options.signal,
    deadline: options.deadline,
    retryAfter: options.retryAfter ?? DEFAULTS.retryAfter,
    limits: limitsOf(options),
    bulkhead: options.bulkhead,
    hedge: hedgeOf(options.hedge),
    fallback: options.fallback,
    nested,
    onRetry: options.onRetry,
    onStop: options.onStop,
    observer: options.observer,
    attributes: Object.freeze({ ...options.attributes }),
    clock: options.clock ?? systemClock,
    hold: options.unref === true ? 'unref' : 'ref',
    limited,
    plain:
      !limited &&
      options.retryOnResult === undefined &&
      options.bulkhead === undefined &&
      options.hedge === undefined &&
      options.breaker === undefined &&
      options.adaptive === undefined &&
      nested !== 'outer',
  });
}

/** The same policy under the name that it has, else under `operation`. */
export function withOperation(policy: Policy, operation: string): Policy {
  return policy.operation === undefined ? complete({ ...policy, operation }) : policy;
}

/**
 * The facts of a call, for observers: one frozen object per policy and operation. `fn` gives the name where the
 * policy has none.
 */
export function infoFor(policy: Policy, fn: { readonly name: string }): CallInfo {
  if (policy.info !== undefined) return policy.info;
  const operation = operationOf(policy, fn);
  return policy.infos.get(operation) ?? addInfo(policy, operation);
}

/** The name of what is retried: the policy's, else the function's, else `anonymous`. */
export function operationOf(policy: Policy, fn: { readonly name: string }): string {
  if (policy.operation !== undefined) return policy.operation;
  const name = read(fn, 'name');
  return typeof name === 'string' && name !== '' ? name.slice(0, 200) : 'anonymous';
}

/** How many operation names of functions one policy tells apart. */
const MAX_INFOS = 200;

function addInfo(policy: Policy, operation: string): CallInfo {
  const info = createInfo(policy, operation);
  if (policy.infos.size < MAX_INFOS) policy.infos.set(operation, info);
  announce(policy, info);
  return info;
}

function complete(facts: Omit<Policy, 'info' | 'infos'>): Policy {
  const info = facts.operation === undefined ? undefined : createInfo(facts, facts.operation);
  const policy = Object.freeze({ ...facts, info, infos: new Map<string, CallInfo>() });
  if (info !== undefined) announce(policy, info);
  return policy;
}

function createInfo(
  { maxAttempts, attributes }: Pick<Policy, 'maxAttempts' | 'attributes'>,
  operation: string,
): CallInfo {
  return Object.freeze({ operation, maxAttempts, attributes });
}

function announce(policy: Policy, info: CallInfo): void {
  const observer = policy.observer ?? runtime.observer;
  if (observer !== undefined) tellPolicy(observer, info);
}

function limitsOf({ budget, breaker, adaptive }: RetryOptions<unknown, unknown>): LimitTerms | undefined {
  const isNone = budget === undefined && breaker === undefined && adaptive === undefined;
  return isNone ? undefined : Object.freeze({ budget, breaker, adaptive });
}

function hedgeOf(hedge: number | Hedge | undefined): Hedge | undefined {
  return typeof hedge === 'number' ? Object.freeze({ delayMs: () => hedge }) : hedge;
}

function copyBackoff(backoff: Backoff): Backoff {
  return typeof backoff === 'object' ? Object.freeze([...backoff]) : backoff;
}
