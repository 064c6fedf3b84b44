import { isClass } from '../engine/classify.ts';
import type { RetryOptions } from '../engine/options.ts';
import { type Policy, withOperation } from '../engine/policy.ts';
import { isObject } from '../engine/read.ts';
import { policyFor } from './policy-for.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { type Wrapped, wrap } from './wrap.ts';

/**
 * A decorator for methods (static and private ones too), in the standard form and in that of TypeScript's
 * `experimentalDecorators`. Given a plain function, the same call wraps it.
 *
 * @throws TypeError or RangeError at once, when an option is wrong; TypeError when it decorates something that is no
 * method
 *
 * @example
 * ```ts
 * class Users {
 *   @retryWithBackoff({ maxAttempts: 3, initialDelay: 500 })
 *   async load(id: string): Promise<User> {
 *     return await fetchUser(id);
 *   }
 * }
 * ```
 */
export function retryWithBackoff<F = never>(
  options?: RetryOptions<unknown, F> | RetryPolicy<unknown, F>,
): RetryDecorator<F> {
  const policy = policyFor(options);
  return ((...args: unknown[]) => decorate(policy, args)) as RetryDecorator<F>;
}

/** What {@link retryWithBackoff} gives: a decorator of both kinds, and a wrapper of plain functions. */
export interface RetryDecorator<F = never> {
  /** A standard (TC39) method decorator. The method keeps its type, with type parameters of its own too. */
  <M extends (...args: never[]) => PromiseLike<unknown>>(method: M, context: MethodContext): M;
  /** A legacy (`experimentalDecorators`) method decorator. */
  <M extends (...args: never[]) => PromiseLike<unknown>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<M>,
  ): void;
  /** A plain function. */
  <This, Args extends unknown[], R>(fn: (this: This, ...args: Args) => R): Wrapped<This, Args, R | F>;
}

/** What a standard decorator is told of a method: as much of `ClassMethodDecoratorContext` as is needed. */
export interface MethodContext {
  readonly kind: 'method';
  readonly name: string | symbol;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

function decorate(policy: Policy, args: readonly unknown[]): unknown {
  const [value, second, third] = args;
  if (args.length === 1 && typeof value === 'function') {
    // TypeScript's legacy decorators hand a class over like this.
    if (isClass(value)) throw notAMethod('a class');
    return wrap(value as Method, policy);
  }
  if (isDecoratorContext(second)) {
    if (second.kind !== 'method') throw notAMethod(`a ${second.kind}`);
    return wrap(value as Method, named(policy, second.name));
  }
  if (typeof second !== 'string' && typeof second !== 'symbol') throw notAMethod('a class');
  return decorateLegacy(policy, second, third as PropertyDescriptor | undefined);
}

function decorateLegacy(policy: Policy, key: string | symbol, descriptor: PropertyDescriptor | undefined): void {
  if (descriptor?.get !== undefined || descriptor?.set !== undefined) throw notAMethod('an accessor');
  if (typeof descriptor?.value !== 'function') throw notAMethod('a field');
  descriptor.value = wrap(descriptor.value as Method, named(policy, key));
}

function named(policy: Policy, key: string | symbol): Policy {
  return withOperation(policy, typeof key === 'string' ? key : (key.description ?? 'anonymous'));
}

function isDecoratorContext(value: unknown): value is { readonly kind: string; readonly name: string | symbol } {
  return isObject(value) && 'kind' in value;
}

function notAMethod(what: string): TypeError {
  return new TypeError(`retryWithBackoff decorates methods and wraps functions; this is ${what}`);
}
