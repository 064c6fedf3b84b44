import type { DeadLetterStore } from '../../../src/recovery/dead-letters/index.ts';

/** The same store, but for some methods. */
export function storeWith(store: DeadLetterStore, own: Readonly<Record<string, unknown>>): DeadLetterStore {
  return new Proxy(store, {
    get: (target, key) => {
      if (typeof key === 'string' && Object.hasOwn(own, key)) return own[key];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
