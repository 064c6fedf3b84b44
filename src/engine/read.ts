/**
 * Reads a property of a value that is not to be trusted: null, a revoked Proxy, an object whose getter throws. Anything that cannot be read is undefined.
 */
export function read(value: unknown, key: PropertyKey): unknown {
  // Most often there is nothing to read from, and an exception would cost microseconds.
  if (value === undefined || value === null) return undefined;
  try {
    return (value as Record<PropertyKey, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** Whether it has properties, functions among them. */
export function isObject(value: unknown): value is object {
  return Object(value) === value;
}

/** What a look at such a value gives, where it takes more than one property; undefined where it cannot be done. */
export function lookAt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
