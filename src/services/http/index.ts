export type { AxiosAdapterLike, AxiosConfigLike, AxiosLike, AxiosResponseLike } from './axios-types.ts';
export type { GotLike } from './got-types.ts';
export { httpBudget } from './http-budget.ts';
export { type Answer, BodyUsedError, HttpStatusError, isHttpStatusError } from './http-errors.ts';
export { type HttpRetryOptions, IDEMPOTENT_METHODS, RETRYABLE_STATUSES } from './http-options.ts';
export { retryAxios } from './retry-axios.ts';
export {
  createRetryFetch,
  type FetchLike,
  type FetchRetryOptions,
  type RetryFetch,
  type RetryRequestInit,
  retryFetch,
} from './retry-fetch.ts';
export { retryGot } from './retry-got.ts';
