export { retryBaggage } from './baggage.ts';
export { type IncomingAttempt, readRetryAttempt } from './incoming-attempt.ts';
export {
  fastifyRetryAwareness,
  incomingRetry,
  type RetryAwarenessOptions,
  retryAwareness,
} from './middleware.ts';
export { type AttemptNumbers, type HeaderForm, type RetryHeaderOptions, retryHeaders } from './outgoing-headers.ts';
export { type RefusableResponse, refuseRetries } from './refuse-retries.ts';
