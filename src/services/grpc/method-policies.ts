import { classify, type RetryOn } from '../../engine/classify.ts';
import { RetryPolicy } from '../../forms/retry-policy.ts';
import { type ServiceKindTerms, serviceOptions } from '../service-policy.ts';
import { classifyStatus, RETRYABLE_STATUSES, wasNeverSent } from './classify-grpc-error.ts';
import { GRPC_CHECKS, GRPC_DEFAULTS, type GrpcRetryOptions, mayRepeat } from './grpc-options.ts';

/** The policies of an interceptor, one for each method, made when it is first called. */
export class MethodPolicies {
  readonly #options: GrpcRetryOptions;
  readonly #known = new Map<string, RetryPolicy>();

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: GrpcRetryOptions) {
    // Made once for nobody, so that what is wrong is told now.
    this.#options = typeof options === 'object' && options !== null ? { ...options } : options;
    createPolicy(this.#options, undefined, () => false);
  }

  /** The policy of a method. Past a number that no client has, they share one without a name of their own. */
  of(path: string): RetryPolicy {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const operation = this.#known.size < MOST_METHODS ? path.slice(1, 200) : 'grpc';
    const { methods } = this.#options;
    const policy = createPolicy(this.#options, operation, () => mayRepeat(methods, path));
    if (this.#known.size < MOST_METHODS) this.#known.set(path, policy);
    return policy;
  }
}

const MOST_METHODS = 500;

const GRPC: ServiceKindTerms = {
  what: 'gRPC options',
  budget: 'grpc',
  defaults: GRPC_DEFAULTS,
  checks: GRPC_CHECKS,
};

function createPolicy(options: GrpcRetryOptions, operation: string | undefined, isFree: () => boolean): RetryPolicy {
  const named = operation === undefined || options.operation !== undefined ? options : { ...options, operation };
  const { statuses = RETRYABLE_STATUSES } = options ?? {};
  return new RetryPolicy(
    serviceOptions(GRPC, named, retryOn => {
      if (retryOn !== undefined && !isUsable(retryOn)) return retryOn;
      return (error, { attempt }) => {
        if (!wasNeverSent(error) && !isFree()) return 'permanent';
        return retryOn === undefined ? classifyStatus(error, statuses) : classify(retryOn, error, attempt);
      };
    }),
  );
}

/** A wrong `retryOn` is told in the caller's own words, where the policy is made. */
function isUsable(retryOn: RetryOn): boolean {
  return typeof retryOn === 'function' || typeof retryOn === 'string' || Array.isArray(retryOn);
}
