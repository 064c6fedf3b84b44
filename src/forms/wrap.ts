import { execute } from '../engine/execute.ts';
import { operationOf, type Policy, withOperation } from '../engine/policy.ts';
import { read } from '../engine/read.ts';

/** A function that retries: the same parameters and `this`, and a promise of the same result. */
export type Wrapped<This, Args extends unknown[], R> = (this: This, ...args: Args) => Promise<Awaited<R>>;

/** Makes a function of the same name, length, `this` and parameters that runs `fn` under a policy. */
export function wrap<This, Args extends unknown[], R, F = never>(
  fn: (this: This, ...args: Args) => R,
  policy: Policy,
): Wrapped<This, Args, R | F> {
  const named = withOperation(policy, operationOf(policy, fn));
  const wrapped = {
    // A method is no constructor: calling it with `new` throws a TypeError instead of losing `this`.
    call(this: This, ...args: Args): Promise<Awaited<R | F>> {
      const attempt = (): PromiseLike<Awaited<R>> => Reflect.apply(fn, this, args) as PromiseLike<Awaited<R>>;
      return execute<Awaited<R | F>>(named, attempt, named);
    },
  }.call;
  Object.defineProperties(wrapped, {
    name: { value: read(fn, 'name'), configurable: true },
    length: { value: read(fn, 'length'), configurable: true },
  });
  return wrapped;
}
