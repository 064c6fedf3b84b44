import type { Classifier, RetryOn } from '../../engine/classify.ts';
import type { Clock } from '../../engine/clock.ts';
import type { Budget } from '../../engine/limits.ts';
import type { RetryHookEvent, RetryOptions } from '../../engine/options.ts';
import { createPolicy, type Policy } from '../../engine/policy.ts';
import { systemClock } from '../../engine/system-clock.ts';
import { validateOptions } from '../../engine/validate.ts';
import { classifyHttp } from './classify-http.ts';
import { makeRoom } from './failed-answer.ts';
import { httpBudget } from './http-budget.ts';
import { type HttpRetryOptions, IDEMPOTENT_METHODS, RETRYABLE_STATUSES } from './http-options.ts';
import type { RequestRules } from './request-facts.ts';

/** Options with their defaults, checked: what requests are run under. */
export interface HttpPolicy extends RequestRules {
  /** The policies for requests to a host, which has a budget of its own unless the options say otherwise. */
  of(host: string | undefined): HostPolicies;
  readonly statuses: ReadonlySet<number>;
  readonly retryOn: RetryOn | undefined;
  readonly propagate: boolean | ((url: URL) => boolean);
  readonly onUsedBody: 'throw' | 'stop';
  readonly signal: AbortSignal | undefined;
  readonly deadline: Date | number | undefined;
  /** False where nothing but the caller's own signal can end an attempt before it has settled by itself. */
  readonly mayCut: boolean;
  readonly clock: Clock;
}

/** What requests to one host are run under. */
export interface HostPolicies {
  /** For requests that may be sent again. */
  readonly repeatable: Policy;
  /** For those that may not: whatever they bring is the end of the call. */
  readonly once: Policy;
}

/** Makes the policy of options that {@link checkHttpOptions} has let pass. */
export function createHttpPolicy(options: HttpRetryOptions): HttpPolicy {
  const { methods, statuses, idempotencyKey, propagate, onUsedBody, budget, onRetry, hedge, ...rest } = options;
  const hedged = hedge === undefined ? undefined : { hedge };
  // Before `retryOn` and `onRetry` are wrapped, so that wrong ones are told.
  validateOptions({ ...rest, ...(onRetry === undefined ? undefined : { onRetry }), ...hedged });
  const rules = {
    methods: new Set(methods ?? IDEMPOTENT_METHODS),
    idempotencyKey,
    statuses: new Set(statuses ?? RETRYABLE_STATUSES),
    retryOn: rest.retryOn,
    propagate: propagate ?? false,
    onUsedBody: onUsedBody ?? 'throw',
    signal: rest.signal,
    deadline: rest.deadline,
    mayCut: [rest.attemptTimeout, rest.maxElapsed, rest.deadline, rest.signal, hedge].some(
      limit => limit !== undefined,
    ),
    clock: rest.clock ?? systemClock,
  };
  const retryOn: Classifier = (error, { attempt }) => classifyHttp(error, attempt, rules);
  const common: RetryOptions<never, unknown> = {
    ...(rest as RetryOptions<never, unknown>),
    ...(budget === 'none' || budget === undefined ? undefined : { budget }),
    onRetry: event => tellRetry(event, onRetry),
  };
  const forAll: HostPolicies = {
    repeatable: createPolicy({ ...common, ...hedged, retryOn }),
    once: createPolicy({ ...common, retryOn: () => 'permanent' }),
  };
  return Object.freeze({ ...rules, of: budget === undefined ? byHost(forAll) : () => forAll });
}

/** The same policies with the budget of each host, made when a host is first called. There are as few as budgets. */
function byHost({ repeatable, once }: HostPolicies): HttpPolicy['of'] {
  const known = new Map<Budget, HostPolicies>();
  return host => {
    const budget = httpBudget(host);
    const before = known.get(budget);
    if (before !== undefined) return before;
    const made = { repeatable: withBudget(repeatable, budget), once: withBudget(once, budget) };
    known.set(budget, made);
    return made;
  };
}

function withBudget(policy: Policy, budget: Budget): Policy {
  const { breaker, adaptive } = policy.limits ?? {};
  return Object.freeze({ ...policy, limits: Object.freeze({ budget, breaker, adaptive }) });
}

/** The wait begins: nothing of the failed attempt may hold a connection during it. */
function tellRetry(event: RetryHookEvent, onRetry: ((event: RetryHookEvent) => void) | undefined): unknown {
  makeRoom(event.error);
  return onRetry?.(event);
}
