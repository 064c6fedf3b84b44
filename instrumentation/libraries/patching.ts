import { types } from 'node:util';

/** A function of a library, of which nothing is known but that it can be called. */
export type Callable = (this: unknown, ...args: unknown[]) => unknown;

/** What runs in place of a function: it is given the function, and what that was called with. */
export type Instead = (original: Callable, self: unknown, args: unknown[]) => unknown;

/**
 * The same function with other behaviour: its name, length, statics and prototype stay. One that is patched already is
 * given back.
 */
export function patched<F>(original: F, instead: Instead): F {
  if (typeof original === 'function' && ours.has(original)) return original;
  const patch = wrapped(original, instead);
  ours.add(patch as object);
  return patch;
}

/** The same for a function that is made for one call, or for one client. */
export function wrapped<F>(original: F, instead: Instead): F {
  if (typeof original !== 'function') throw new TypeError('there is no such function');
  return new Proxy(original as Callable, { apply: (target, self, args) => instead(target, self, args) }) as F;
}

/** Replaces a method where it stands; the shape of its property is kept. */
export function patchMethod(owner: object, name: string, instead: Instead): void {
  const property = Object.getOwnPropertyDescriptor(owner, name) ?? {
    value: Reflect.get(owner, name),
    writable: true,
    enumerable: false,
    configurable: true,
  };
  Object.defineProperty(owner, name, { ...property, value: patched(property.value, instead) });
}

/**
 * The exports of a module with some of them replaced. Those that cannot be written, as in the namespace of an ES module
 * or behind a getter, make a new object.
 *
 * @param replacements by name; names that the module does not export are left out
 */
export function withExports(exports: unknown, replacements: Readonly<Record<string, unknown>>): unknown {
  if (!isObject(exports)) throw new TypeError('the module exports no object');
  const present = Object.entries(replacements).filter(([name]) => name in exports);
  if (present.length === 0) throw new TypeError('the module exports none of what is to be patched');
  if (!types.isModuleNamespaceObject(exports) && present.every(([name]) => isWritable(exports, name))) {
    for (const [name, value] of present) Reflect.set(exports, name, value);
    return exports;
  }
  return copyWith(exports, Object.fromEntries(present));
}

/** An export, also where the module is CommonJS and was imported: there, everything hangs on `default`. */
export function exported(exports: unknown, name: string): unknown {
  if (!isObject(exports)) return undefined;
  if (name in exports) return Reflect.get(exports, name);
  const inner: unknown = Reflect.get(exports, 'default');
  return isObject(inner) ? Reflect.get(inner, name) : undefined;
}

/** The prototype of a class that a module exports. */
export function prototypeOf(exports: unknown, name: string): object {
  const owner = name === 'default' && typeof exports === 'function' ? exports : exported(exports, name);
  const prototype: unknown = typeof owner === 'function' ? owner.prototype : undefined;
  if (!isObject(prototype)) throw new TypeError('the module exports no such class');
  return prototype;
}

/**
 * Patches a module that is one function, in each of the shapes in which a loader shows it: the function itself, and a
 * namespace in which it is `default` and, on some versions of Node, `module.exports`.
 */
export function patchedFunctionModule(exports: unknown, instead: Instead): unknown {
  if (typeof exports === 'function') return patched(exports, instead);
  if (!isObject(exports) || typeof Reflect.get(exports, 'default') !== 'function') {
    throw new TypeError('the module exports no function');
  }
  const original: unknown = Reflect.get(exports, 'default');
  const patch = patched(original, instead);
  return withExports(
    exports,
    Reflect.get(exports, MODULE_EXPORTS) === original
      ? { default: patch, [MODULE_EXPORTS]: patch }
      : { default: patch },
  );
}

/** The prefix of a call that is not ours: methods of a Proxy's target, and the functions of users. */
export function applied(fn: unknown, self: unknown, args: readonly unknown[]): unknown {
  return Reflect.apply(fn as Callable, self, args);
}

const MODULE_EXPORTS = 'module.exports';

/** Shared by the copies of the package in a process: what one has patched the other leaves alone. */
const KEY = Symbol.for('retryscope.patched.1');
const shared = globalThis as { [KEY]?: WeakSet<object> };
const ours: WeakSet<object> = shared[KEY] ?? new WeakSet();
shared[KEY] = ours;

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function isWritable(owner: object, name: string): boolean {
  return Object.getOwnPropertyDescriptor(owner, name)?.writable === true;
}

/** Values that are read through: a namespace may still be waiting for its module to be evaluated. */
function copyWith(exports: object, replacements: Readonly<Record<string, unknown>>): object {
  const copy: object = types.isModuleNamespaceObject(exports)
    ? Object.create(null)
    : Object.create(Object.getPrototypeOf(exports));
  for (const name of Reflect.ownKeys(exports)) {
    const enumerable = Object.getOwnPropertyDescriptor(exports, name)?.enumerable === true;
    if (typeof name === 'string' && Object.hasOwn(replacements, name)) {
      Object.defineProperty(copy, name, { value: replacements[name], writable: true, enumerable, configurable: true });
    } else {
      Object.defineProperty(copy, name, { get: () => Reflect.get(exports, name), enumerable, configurable: true });
    }
  }
  return copy;
}
