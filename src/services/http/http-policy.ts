import type { Classifier, RetryOn } from '../../engine/classify.ts';
import type { Clock } from '../../engine/clock.ts';
import type { RetryHookEvent, RetryOptions } from '../../engine/options.ts';
import { systemClock } from '../../engine/system-clock.ts';
import { validateOptions } from '../../engine/validate.ts';
import { RetryPolicy } from '../../forms/retry-policy.ts';
import { classifyHttp } from './classify-http.ts';
import { makeRoom } from './failed-answer.ts';
import { httpBudget } from './http-budget.ts';
import { type HttpRetryOptions, IDEMPOTENT_METHODS, RETRYABLE_STATUSES } from './http-options.ts';
import type { RequestRules } from './request-facts.ts';

/** Options with their defaults, checked: what requests are run under. */
export interface HttpPolicy extends RequestRules {
  /** For requests that may be sent again. */
  readonly repeatable: RetryPolicy<unknown, unknown>;
  /** For those that may not: whatever they bring is the end of the call. */
  readonly once: RetryPolicy<unknown, unknown>;
  readonly statuses: ReadonlySet<number>;
  readonly retryOn: RetryOn | undefined;
  readonly propagate: boolean | ((url: URL) => boolean);
  readonly onUsedBody: 'throw' | 'stop';
  readonly signal: AbortSignal | undefined;
  /** False where nothing but the caller's own signal can end an attempt before it has settled by itself. */
  readonly mayCut: boolean;
  readonly clock: Clock;
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
    mayCut: [rest.attemptTimeout, rest.maxElapsed, rest.deadline, rest.signal, hedge].some(
      limit => limit !== undefined,
    ),
    clock: rest.clock ?? systemClock,
  };
  const retryOn: Classifier = (error, { attempt }) => classifyHttp(error, attempt, rules);
  const common: RetryOptions<unknown, unknown> = {
    ...rest,
    ...(budget === 'none' ? undefined : { budget: budget ?? httpBudget() }),
    onRetry: event => tellRetry(event, onRetry),
  };
  return Object.freeze({
    ...rules,
    repeatable: new RetryPolicy({ ...common, ...hedged, retryOn }),
    once: new RetryPolicy({ ...common, retryOn: () => 'permanent' }),
  });
}

/** The wait begins: nothing of the failed attempt may hold a connection during it. */
function tellRetry(event: RetryHookEvent, onRetry: ((event: RetryHookEvent) => void) | undefined): unknown {
  makeRoom(event.error);
  return onRetry?.(event);
}
