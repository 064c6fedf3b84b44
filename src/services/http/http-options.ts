import type { Budget } from '../../engine/limits.ts';
import { type Check, checkOptions, integerFrom, message, ofType, oneOf } from '../../engine/option-checks.ts';
import type { Fallback, RetryOptions } from '../../engine/options.ts';
import { POLICY_OPTIONS } from '../service-policy.ts';

/**
 * How HTTP requests are retried: what {@link RetryOptions} has, and what HTTP adds. `R` is what the caller gets.
 *
 * `operation` is the method and the host where it is left out, such as `GET api.example.com`: the path may hold
 * anything. `attemptTimeout` counts until the answer's headers are there, or its body where the client reads that too.
 */
export interface HttpRetryOptions<R = unknown>
  extends Omit<RetryOptions<unknown, unknown>, 'retryOnResult' | 'budget' | 'fallback'> {
  /**
   * Methods whose requests may be sent again, in capitals. Default {@link IDEMPOTENT_METHODS}. POST and PATCH are also
   * sent again with an `Idempotency-Key` header; name them here when the server does no harm with the second request
   * even without one.
   */
  readonly methods?: readonly string[];
  /** Statuses that are worth another attempt. Default {@link RETRYABLE_STATUSES}. Range 400 to 599, and 202. */
  readonly statuses?: readonly number[];
  /**
   * Where a POST or PATCH gets its `Idempotency-Key` from when it has none: `'generate'` takes a random UUID, a
   * function its own. One key serves all attempts of a call. Default none: such a request is sent once.
   */
  readonly idempotencyKey?: 'generate' | (() => string);
  /**
   * Whether the request tells the server which attempt it is, by the header `retry-attempt: 2; max=3`: always, or by
   * the URL. Default false, since a policy cannot know which servers are yours.
   */
  readonly propagate?: boolean | ((url: URL) => boolean);
  /**
   * What follows when a request could be sent again but for its body, a stream that has been read. `'throw'`: a
   * {@link BodyUsedError} says so, and has the failure as its cause. `'stop'`: the caller gets the failure itself.
   * Default `'throw'`.
   */
  readonly onUsedBody?: 'throw' | 'stop';
  /**
   * A budget of its own, for whichever host, or `'none'`. Default: one for each host, such as `http api.example.com`, that
   * all HTTP policies of the process share; see `httpBudget`. A redirect is paid for by the host that was asked first.
   */
  readonly budget?: Budget | 'none';
  /** What the caller gets in place of the last error or answer; see {@link Fallback}. Default none. */
  readonly fallback?: Fallback<R>;
}

/** Methods that may be repeated without harm (RFC 9110 section 9.2.2, and QUERY). */
export const IDEMPOTENT_METHODS: readonly string[] = Object.freeze([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
  'QUERY',
]);

/** Statuses that may change by themselves. */
export const RETRYABLE_STATUSES: readonly number[] = Object.freeze([408, 425, 429, 500, 502, 503, 504]);

/**
 * Checks the options of HTTP; those of every policy are checked where it is made.
 *
 * @throws TypeError or RangeError, naming the option, the value and what is allowed
 */
export function checkHttpOptions(options: unknown, more: Readonly<Record<string, Check>> = {}): void {
  checkOptions('HTTP options', options, { ...OF_POLICY, ...OF_HTTP, ...more });
}

const checkStatus: Check = (name, value) => {
  if (value !== 202) integerFrom(400, 599)(name, value);
};

const checkMethod: Check = ofType(
  'an HTTP method in capitals, such as GET',
  value => typeof value === 'string',
  value => /^[A-Z][A-Z-]{0,31}$/.test(value as string),
);

// An answer is looked at by its status; whoever wants more gives `retryOn`.
const { retryOnResult: _, ...OF_POLICY } = POLICY_OPTIONS;

type Own = Exclude<keyof HttpRetryOptions, keyof RetryOptions>;

const OF_HTTP: Record<Own, Check> = {
  methods: listOf('methods', checkMethod),
  statuses: listOf('statuses', checkStatus),
  idempotencyKey: ofType("'generate' or a function", v => v === 'generate' || typeof v === 'function'),
  propagate: ofType('true, false or a function', v => typeof v === 'boolean' || typeof v === 'function'),
  onUsedBody: oneOf('throw', 'stop'),
};

function listOf(what: string, check: Check): Check {
  return (name, value) => {
    if (!Array.isArray(value)) throw new TypeError(message(name, value, `a list of ${what}`));
    value.forEach((each, i) => {
      check(`${name}[${i}]`, each);
    });
  };
}
