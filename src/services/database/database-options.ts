import type { AttemptContext } from '../../engine/attempt.ts';
import { type Check, checkBoolean, checkFunction, oneOf } from '../../engine/option-checks.ts';
import type { RetryOptions } from '../../engine/options.ts';
import { createPolicy, type Policy } from '../../engine/policy.ts';
import { refuseHedge, type ServiceKindTerms, type ServiceOptions, serviceOptions } from '../service-policy.ts';
import { isConflict } from './classify-sql-error.ts';

/**
 * How calls of a database are retried: the options of a policy. Statements and transactions have a budget, the one named
 * `database` that they share; `budget: 'none'` switches it off. Health checks have none of their own accord: they are few,
 * and while a database is down they would find it empty. A `retryOn` of your own decides on every error but those after
 * which the outcome is unknown. There is no `hedge`: a statement would run twice at the same time.
 */
export interface DatabaseOptions<T = unknown, F = never> extends Omit<ServiceOptions<T, F>, 'hedge'> {}

/** How a statement is retried, with the defaults of {@link QUERY_DEFAULTS}. */
export interface QueryOptions<T = unknown, F = never> extends DatabaseOptions<T, F> {
  /**
   * Whether the statement may be carried out twice without harm. Default: true for one that surely only reads (see
   * `isPlainRead`), else false.
   */
  readonly idempotent?: boolean;
}

/** How a transaction is retried, with the defaults of {@link TRANSACTION_DEFAULTS}. */
export interface TransactionOptions<T = unknown, F = never> extends DatabaseOptions<T, F> {
  /** Default: what the database or the connection is set to. */
  readonly isolation?: Isolation;
  /**
   * True begins a transaction that can only read; since nothing can come of it, it is repeated whatever happens at its
   * end. Default: what the database or the connection is set to.
   */
  readonly readOnly?: boolean;
  /**
   * Tells whether the transaction was committed after all, where COMMIT was sent and not answered: true, and the call
   * succeeds with what `fn` had returned; false, and the transaction is repeated. It is asked as the next attempt
   * begins. It must know for certain: look for the row with its unique key, or ask `pg_xact_status`. Default none: the
   * call ends with the error.
   */
  verifyCommit?(attempt: AttemptContext): boolean | PromiseLike<boolean>;
}

/** How much transactions see of each other. */
export type Isolation = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';

type Defaults = Readonly<Required<Pick<RetryOptions, 'operation' | 'maxAttempts' | 'initialDelay' | 'maxDelay'>>>;

/**
 * What holds for a statement where an option is left out. After a conflict (40001, 40P01 and their kin) the first delay
 * is a tenth of it, unless you set `initialDelay`, `exponentialBase` or `backoff`.
 */
export const QUERY_DEFAULTS: Defaults = Object.freeze({
  operation: 'database_query',
  maxAttempts: 3,
  initialDelay: 500,
  maxDelay: 5000,
});

/** What holds for a transaction where an option is left out; after a conflict as in {@link QUERY_DEFAULTS}. */
export const TRANSACTION_DEFAULTS: Defaults = Object.freeze({
  operation: 'database_transaction',
  maxAttempts: 5,
  initialDelay: 500,
  maxDelay: 5000,
});

/** What holds for a health check where an option is left out. A check that hangs is none, so its attempts are limited. */
export const HEALTH_CHECK_DEFAULTS: Defaults & Readonly<Required<Pick<RetryOptions, 'attemptTimeout'>>> = Object.freeze(
  {
    operation: 'database_health_check',
    maxAttempts: 3,
    initialDelay: 500,
    maxDelay: 5000,
    attemptTimeout: 5000,
  },
);

/** Options that were checked, and the policy that they come to. */
export interface Prepared<O> {
  readonly policy: Policy;
  readonly options: O;
}

/** The budget that statements and transactions share. */
const BUDGET = 'database';

/** Checks the options of statements; the same object gives the same policy again. */
export const prepareQuery: Prepare<QueryOptions<never, unknown>> = preparer(
  QUERY_DEFAULTS,
  { idempotent: checkBoolean },
  BUDGET,
);

/** Checks the options of transactions; the same object gives the same policy again. */
export const prepareTransaction: Prepare<TransactionOptions<never, unknown>> = preparer(
  TRANSACTION_DEFAULTS,
  {
    isolation: oneOf('read uncommitted', 'read committed', 'repeatable read', 'serializable'),
    readOnly: checkBoolean,
    verifyCommit: checkFunction,
  },
  BUDGET,
);

/** Checks the options of health checks; the same object gives the same policy again. */
export const prepareHealthCheck: Prepare<DatabaseOptions<never, unknown>> = preparer(
  HEALTH_CHECK_DEFAULTS,
  {},
  undefined,
);

type Prepare<O> = (options: O | undefined) => Prepared<O>;

/* @__NO_SIDE_EFFECTS__ */
function preparer<O extends DatabaseOptions<never, unknown>>(
  defaults: RetryOptions,
  own: Readonly<Record<string, Check>>,
  budget: string | undefined,
): Prepare<O> {
  const prepared = new WeakMap<object, Prepared<O>>();
  const checks = { ...own, hedge: refuseHedge('for databases: a statement would run twice at the same time') };
  const kind: ServiceKindTerms = { what: 'database options', budget, defaults, checks };
  const none = Object.freeze({}) as O;
  return (given = none) => {
    const known = typeof given === 'object' && given !== null ? prepared.get(given) : undefined;
    if (known !== undefined) return known;
    const options = serviceOptions<never, unknown>(kind, given, retryOn => retryOn);
    const made = Object.freeze({
      policy: createPolicy({ ...backoffOf(given as RetryOptions<never, unknown>), ...options }),
      options: { ...given },
    });
    prepared.set(given, made);
    return made;
  };
}

/** Who gives a growth of delays gets it, whatever the error. */
function backoffOf({ initialDelay, exponentialBase, backoff }: RetryOptions<never, unknown>): RetryOptions {
  const isGiven = initialDelay !== undefined || exponentialBase !== undefined || backoff !== undefined;
  return isGiven ? {} : { backoff: quickAfterConflict };
}

const QUICK = 0.1;

function quickAfterConflict(attempt: number, error: unknown): number {
  return QUERY_DEFAULTS.initialDelay * 2 ** (attempt - 1) * (isConflict(error) ? QUICK : 1);
}
