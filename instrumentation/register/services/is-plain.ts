/** True for an object that is no more than its own properties: one of a class has others, which a copy would lose. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Also of another realm, whose `Object` is another.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
