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
