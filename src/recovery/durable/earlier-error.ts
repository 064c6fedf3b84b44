import type { ErrorDescription } from '../../engine/describe-error.ts';

/** What an attempt in another process threw: its kind, its message and its code are what is left of it. */
export function earlierError({ type, message, code }: ErrorDescription): Error {
  const error = new Error(message);
  // The stack of this place says nothing of the attempt.
  return Object.defineProperties(error, {
    name: { value: type, configurable: true, writable: true },
    stack: { value: `${type}: ${message}`, configurable: true, writable: true },
    ...(code === undefined
      ? undefined
      : { code: { value: code, enumerable: true, configurable: true, writable: true } }),
  });
}
