import { isFunction } from './option-checks.ts';
import { read } from './read.ts';

/** Calls a method of an object of the user's, if it has it. What that throws is the object's trouble, and not the caller's. */
export function callMethod(target: object, name: string, ...args: unknown[]): void {
  try {
    const method = read(target, name);
    if (isFunction(method)) (method as (...args: unknown[]) => unknown).apply(target, args);
  } catch {
    // A pool that was ended meanwhile, or a client that was released twice.
  }
}
