import { checkName, message, oneOf } from '../../engine/option-checks.ts';
import { isAttemptNumber, toldNumber } from './attempt-number.ts';

/**
 * The headers that tell the next service which attempt of a call it sees: `retry-attempt: 2; max=4`, and on request the
 * same in the words of gRPC, Envoy and the AWS SDKs.
 *
 * @throws RangeError when `attempt.number` is not an integer from 1
 *
 * @example
 * ```ts
 * const response = await retry(attempt => fetch(url, { headers: retryHeaders(attempt), signal: attempt.signal }));
 * ```
 */
export function retryHeaders(attempt: AttemptNumbers, options: RetryHeaderOptions = {}): Record<string, string> {
  const number = toldNumber(attempt.number);
  // No maximum is better than one that no reader would take.
  const maximum = isAttemptNumber(attempt.maxAttempts) ? `; max=${attempt.maxAttempts}` : '';
  const headers: Record<string, string> = { [RETRY_ATTEMPT]: `${number}${maximum}` };
  for (const form of options.forms ?? []) addForm(headers, form, number, maximum);
  if (options.invocationId !== undefined) {
    checkInvocationId('invocationId', options.invocationId);
    headers['amz-sdk-invocation-id'] = options.invocationId;
  }
  return headers;
}

/** What is told of an attempt; the context that a retried function gets has both. */
export interface AttemptNumbers {
  /** From 1. */
  readonly number: number;
  /** Total executions allowed, the first included; `Infinity` for no limit. */
  readonly maxAttempts: number;
}

/** What {@link retryHeaders} writes beside our own header. */
export interface RetryHeaderOptions {
  /**
   * `'grpc'`: `grpc-previous-rpc-attempts`, absent in the first attempt. `'envoy'`: `x-envoy-attempt-count`. `'aws'`:
   * `amz-sdk-request`. Default none.
   */
  readonly forms?: readonly HeaderForm[];
  /** The value of `amz-sdk-invocation-id`: the same for all attempts of a call. Letters, digits and hyphens. Default none. */
  readonly invocationId?: string;
}

/** In whose words an attempt is told. */
export type HeaderForm = 'grpc' | 'envoy' | 'aws';

/** Our own header. */
export const RETRY_ATTEMPT = 'retry-attempt';

function addForm(headers: Record<string, string>, form: HeaderForm, number: number, maximum: string): void {
  checkForm('forms', form);
  if (form === 'envoy') headers['x-envoy-attempt-count'] = String(number);
  if (form === 'aws') headers['amz-sdk-request'] = `attempt=${number}${maximum}`;
  if (form === 'grpc' && number > 1) headers['grpc-previous-rpc-attempts'] = String(number - 1);
}

const checkForm = oneOf('grpc', 'envoy', 'aws');

function checkInvocationId(name: string, value: string): void {
  checkName(name, value);
  // Whatever else were in it would be in a header too.
  if (!/^[\w-]+$/.test(value)) throw new RangeError(message(name, value, 'letters, digits and hyphens'));
}
