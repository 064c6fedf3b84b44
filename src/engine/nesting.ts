import { AsyncLocalStorage } from 'node:async_hooks';
import { read } from './read.ts';
import { runtime } from './runtime.ts';

/**
 * Which layer retries where calls nest, in one process:
 *
 * - `inner`: the one nearest to the failure. What a call inside an attempt has given up is not retried again.
 * - `outer`: this one. Calls inside its attempts make one attempt each.
 * - `both`: each does, and the attempts multiply.
 */
export type Nested = 'inner' | 'outer' | 'both';

/** What is known of whoever is around an attempt or a request. */
export interface NestingFrame {
  /** True inside the attempts of a policy with `nested: 'outer'`. */
  readonly retriesOutside: boolean;
  /** True once a call inside has given up after retries. */
  gaveUp: boolean;
}

/** What carries frames: an `AsyncLocalStorage`, without its type, which not every project has. */
export interface NestingStorage {
  run<R>(frame: NestingFrame, fn: () => R): R;
  getStore(): NestingFrame | undefined;
}

/** Runs `fn` inside a frame: calls that it starts, and what they start, can see it. */
export function runNested<R>(frame: NestingFrame, fn: () => R): R {
  return prepareNesting().run(frame, fn);
}

/** The frame around the caller; undefined where there is none. */
export function nestingFrame(): NestingFrame | undefined {
  return runtime.nesting?.getStore();
}

/** Has frames carried from now on. A process that needs none does not pay for it. */
export function prepareNesting(): NestingStorage {
  runtime.nesting ??= new AsyncLocalStorage<NestingFrame>();
  return runtime.nesting;
}

/** Remembers that a call that started at `startedAt` (see `Runtime.sequence`) has given up on `error` after retries. */
export function rememberGivenUp(error: unknown, startedAt: number): void {
  const frame = nestingFrame();
  if (frame !== undefined) frame.gaveUp = true;
  if ((typeof error !== 'object' || error === null) && typeof error !== 'function') return;
  runtime.givenUp.set(error, startedAt);
  runtime.latestGivenUp = Math.max(runtime.latestGivenUp, startedAt);
}

/**
 * True when a call that started after `since` has given up on `error`, or on what it wraps: its cause, or every one of
 * its `errors`. The order of starts tells a call inside this attempt from another one that met the same error object.
 */
export function wasGivenUpSince(error: unknown, since: number): boolean {
  return runtime.latestGivenUp > since && wrapsGivenUp(error, since, MAX_DEPTH);
}

/** How many causes deep an error is looked into, and how many errors of an AggregateError. */
const MAX_DEPTH = 5;
const MAX_ERRORS = 10;

function wrapsGivenUp(error: unknown, since: number, depth: number): boolean {
  if ((typeof error !== 'object' || error === null) && typeof error !== 'function') return false;
  if ((runtime.givenUp.get(error) ?? 0) > since) return true;
  if (depth === 0) return false;
  const errors = read(error, 'errors');
  if (Array.isArray(errors) && errors.length > 0 && errors.length <= MAX_ERRORS) {
    return errors.every(each => wrapsGivenUp(each, since, depth - 1));
  }
  return wrapsGivenUp(read(error, 'cause'), since, depth - 1);
}
