import { type Check, message, oneOf } from '../../engine/option-checks.ts';
import type { RetryOptions } from '../../engine/options.ts';
import type { ServiceOptions } from '../service-policy.ts';
import { STATUSES, type StatusName } from './statuses.ts';

/**
 * How calls of gRPC are retried: the options of a policy with the defaults of {@link GRPC_DEFAULTS}, and these.
 * `operation` is the path of the method where it is left out: `shop.Orders/GetOrder`.
 */
export interface GrpcRetryOptions
  extends Omit<ServiceOptions, 'signal' | 'deadline' | 'hedge' | 'fallback' | 'retryOnResult'> {
  /**
   * Methods that may be called twice without harm: paths such as `/shop.Orders/GetOrder`, `/shop.Orders/*` for all of a
   * service, `'all'`, or a function of the path. Default none: then a call is repeated only where its request never left
   * this process. gRPC's own retries need a list of methods too.
   */
  readonly methods?: 'all' | readonly string[] | ((path: string) => boolean);
  /**
   * Statuses that are worth another attempt. Default `UNAVAILABLE` and `RESOURCE_EXHAUSTED`. `DEADLINE_EXCEEDED` is of use
   * only with an `attemptTimeout` of the server's own: nothing is left of a deadline that has passed.
   */
  readonly statuses?: readonly StatusName[];
}

/**
 * What holds where an option is left out: as in the examples of gRFC A6, but that a server may ask for up to five seconds
 * with `grpc-retry-pushback-ms`.
 */
export const GRPC_DEFAULTS: Readonly<Required<Pick<RetryOptions, 'maxAttempts' | 'initialDelay' | 'maxDelay'>>> =
  Object.freeze({ maxAttempts: 4, initialDelay: 100, maxDelay: 5000 });

/** Whether a method may be called again after its request was sent. */
export function mayRepeat(methods: GrpcRetryOptions['methods'], path: string): boolean {
  if (methods === undefined) return false;
  if (methods === 'all') return true;
  if (typeof methods === 'function') return methods(path) === true;
  return methods.includes(path) || methods.includes(`${path.slice(0, path.lastIndexOf('/'))}/*`);
}

const checkMethods: Check = (name, value) => {
  if (value === 'all' || typeof value === 'function') return;
  if (!Array.isArray(value)) throw new TypeError(message(name, value, "'all', a list of paths or a function"));
  value.forEach((path, i) => {
    if (typeof path !== 'string' || !/^\/[^/\s]+\/[^/\s]+$/.test(path)) {
      throw new TypeError(message(`${name}[${i}]`, path, 'a path such as /shop.Orders/GetOrder or /shop.Orders/*'));
    }
  });
};

const checkStatus = oneOf(...STATUSES.filter(status => status !== 'OK' && status !== 'CANCELLED'));

const checkStatuses: Check = (name, value) => {
  if (!Array.isArray(value)) throw new TypeError(message(name, value, 'a list of names of statuses'));
  value.forEach((status, i) => {
    checkStatus(`${name}[${i}]`, status);
  });
};

/** A call has its own signal and deadline; its answer is no promise that could be replaced or compared. */
const refuse: Check = name => {
  throw new TypeError(`${name} is not for calls of gRPC, whose answer, deadline and cancellation are their own`);
};

/** The checks of the options that only gRPC has, or has not. */
export const GRPC_CHECKS: Readonly<Record<string, Check>> = {
  methods: checkMethods,
  statuses: checkStatuses,
  signal: refuse,
  deadline: refuse,
  hedge: refuse,
  fallback: refuse,
  retryOnResult: refuse,
};
