import { read } from '../../src/engine/read.ts';
import { applied, type Callable } from './patching.ts';

/** A copy of axios that this process has loaded. */
interface Axios {
  readonly getAdapter: Callable;
  /** A function of the defaults, which the instances of this copy share. */
  readonly mark: unknown;
}

const copies: Axios[] = [];
/** More than one or two are only seen where modules are loaded anew again and again. */
const MAX_COPIES = 10;

/** Remembers a copy of axios. */
export function noteAxios(exports: unknown): void {
  const axios = typeof exports === 'function' ? exports : (read(exports, 'default') ?? exports);
  const getAdapter = read(axios, 'getAdapter') ?? read(exports, 'getAdapter');
  if (typeof getAdapter !== 'function') throw new TypeError('axios has no getAdapter');
  const mark = markOf(axios);
  if (copies.some(copy => copy.mark === mark)) return;
  if (copies.length < MAX_COPIES) copies.push({ getAdapter: getAdapter as Callable, mark });
}

/**
 * The function that sends a request: `adapter` itself, or what axios finds by its name. Undefined where that is not
 * known; axios then sees to it, and complains where it has to.
 */
export function adapterOf(adapter: unknown, instance: unknown, config: object): Callable | undefined {
  if (typeof adapter === 'function') return adapter as Callable;
  const mark = markOf(instance);
  const copy = copies.find(each => each.mark === mark) ?? copies.at(-1);
  if (copy === undefined) return undefined;
  try {
    const found = applied(copy.getAdapter, undefined, [adapter, config]);
    return typeof found === 'function' ? (found as Callable) : undefined;
  } catch {
    return undefined;
  }
}

function markOf(axios: unknown): unknown {
  return read(read(read(axios, 'defaults'), 'transformRequest'), 0);
}
