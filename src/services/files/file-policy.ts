import type { RetryOptions } from '../../engine/options.ts';
import { RetryPolicy } from '../../forms/retry-policy.ts';
import { refuseHedge, type ServiceKindTerms, type ServiceOptions, serviceOptions } from '../service-policy.ts';
import { classifyFileError } from './classify-file-error.ts';

/** How work with files is retried: the options of a policy, with the defaults of {@link FILE_DEFAULTS}. */
export type FileRetryOptions<T = unknown, F = never> = Omit<ServiceOptions<T, F>, 'hedge'>;

/** What holds where an option is left out. */
export const FILE_DEFAULTS: Readonly<Required<Pick<RetryOptions, 'maxAttempts' | 'initialDelay' | 'maxDelay'>>> =
  Object.freeze({ maxAttempts: 5, initialDelay: 500, maxDelay: 10_000 });

/**
 * The policy of options for files, under the name of `operation` where they have none; the same for the same object.
 *
 * @throws TypeError or RangeError, naming the option, the value and what is allowed
 */
export function filePolicy<T, F>(options: FileRetryOptions<T, F> = NOTHING, operation: string = ''): RetryPolicy<T, F> {
  if (typeof options !== 'object' || options === null) return createFilePolicy(options);
  const known = policies.get(options) ?? new Map<string, RetryPolicy<unknown, unknown>>();
  const name = options.operation ?? operation;
  const policy =
    known.get(name) ??
    createFilePolicy(name === '' ? options : ({ ...options, operation: name } as FileRetryOptions<T, F>));
  known.set(name, policy as RetryPolicy<unknown, unknown>);
  policies.set(options, known);
  return policy as RetryPolicy<T, F>;
}

function createFilePolicy<T, F>(options: FileRetryOptions<T, F>): RetryPolicy<T, F> {
  return new RetryPolicy(serviceOptions(FILES, options, retryOn => retryOn ?? classifyFileError));
}

const FILES: ServiceKindTerms = {
  what: 'file options',
  budget: 'files',
  defaults: FILE_DEFAULTS,
  checks: { hedge: refuseHedge('for files: two attempts at the same file would be in each other’s way') },
};
const NOTHING: FileRetryOptions<never, never> = Object.freeze({});
const policies = new WeakMap<object, Map<string, RetryPolicy<unknown, unknown>>>();
