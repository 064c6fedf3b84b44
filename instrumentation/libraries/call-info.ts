import type { CallInfo } from '../../src/engine/observer.ts';
import { read } from '../../src/engine/read.ts';

/**
 * The facts of a call that a library makes; the same object for the same facts, since observers keep what they have
 * built from one.
 */
export function callInfo(operation: string, maxAttempts: number): CallInfo {
  const key = `${maxAttempts} ${operation}`;
  const known = infos.get(key);
  if (known !== undefined) return known;
  const info = Object.freeze({ operation, maxAttempts, attributes: NONE });
  if (infos.size < MAX_INFOS) infos.set(key, info);
  return info;
}

/** The name of a function that is retried, or that of the library where it has none. */
export function functionName(fn: unknown, library: string): string {
  const name = read(fn, 'name');
  if (typeof name !== 'string') return library;
  const own = name.replace(/^(bound )+/, '').slice(0, 200);
  return own === '' ? library : own;
}

/** `GET api.example.com`: paths and queries are too many, and may hold secrets. */
export function requestName(method: unknown, url: unknown): string {
  const verb = typeof method === 'string' && /^[A-Za-z]{1,20}$/.test(method) ? method.toUpperCase() : 'GET';
  const host = hostOf(url);
  return host === undefined ? verb : `${verb} ${host}`;
}

/**
 * The attempts that a number of retries allows.
 *
 * @param retries what the user gave: any value at all
 * @param byDefault the library's own number of retries
 */
export function attemptsOf(retries: unknown, byDefault: number): number {
  const given = typeof retries === 'number' || typeof retries === 'string' ? Number(retries) : byDefault;
  return given >= 0 ? given + 1 : 1;
}

const NONE = Object.freeze({});
const MAX_INFOS = 1000;
const infos = new Map<string, CallInfo>();

function hostOf(url: unknown): string | undefined {
  try {
    const host = url instanceof URL ? url.host : new URL(String(url)).host;
    return host === '' ? undefined : host;
  } catch {
    return undefined;
  }
}
