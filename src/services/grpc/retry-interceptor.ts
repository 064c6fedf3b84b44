import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import type { GrpcRetryOptions } from './grpc-options.ts';
import { MethodPolicies } from './method-policies.ts';
import { RetryingCall } from './retrying-call.ts';

/**
 * An interceptor for clients of `@grpc/grpc-js` that retries: unary calls, and calls whose answer is a stream as long as
 * nothing of it has arrived. Calls that send a stream pass through, since what they sent is gone.
 *
 * Only methods that `methods` names are called again after their request was sent. Each attempt tells the server of those
 * before in `grpc-previous-rpc-attempts`; what the server asks for in `grpc-retry-pushback-ms` is waited, and where that is
 * negative or no number the call ends. The call's deadline and cancellation hold for all attempts and waits together. The
 * caller gets the status of the last attempt; the `cause` of its error has a `retrySummary`.
 *
 * grpc-js retries by itself only where a service config has a `retryPolicy`. Then give the client the option
 * `'grpc.enable_retries': 0`, or leave the retries to it: what it has retried is not retried again. Place this interceptor
 * first, so that the others see each attempt.
 *
 * Budget: `grpc`.
 *
 * @throws TypeError or RangeError at once, when an option is wrong
 *
 * @example
 * ```ts
 * const retries = grpcRetryInterceptor({ methods: ['/shop.Orders/GetOrder', '/shop.Catalog/*'] });
 * const orders = new OrdersClient(address, credentials, { interceptors: [retries] });
 * ```
 */
export function grpcRetryInterceptor(options: GrpcRetryOptions = {}): Interceptor {
  const policies = new MethodPolicies(options);
  return (call, nextCall) => {
    const { path, requestStream } = call.method_definition;
    return new InterceptingCall(requestStream ? nextCall(call) : new RetryingCall(policies.of(path), call, nextCall));
  };
}
