/**
 * Reads a property of a value that is not to be trusted: a primitive, a revoked Proxy, an object whose getter
 * throws. Anything that cannot be read is undefined.
 */
export function read(value: unknown, key: PropertyKey): unknown {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return undefined;
  try {
    return (value as Record<PropertyKey, unknown>)[key];
  } catch {
    return undefined;
  }
}
