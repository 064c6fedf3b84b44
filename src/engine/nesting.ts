import { AsyncLocalStorage } from 'node:async_hooks';
import type { NestingFrame, NestingStorage } from './nesting-frame.ts';
import { isObject, read } from './read.ts';
import { runtime } from './runtime.ts';

/**
 * Which layer retries where calls nest, in one process:
 *
 * - `inner`: the one nearest to the failure. What a call inside an attempt has given up is not retried again.
 * - `outer`: this one. Calls inside its attempts make one attempt each.
 * - `both`: each does, and the attempts multiply.
 */
export type Nested = 'inner' | 'outer' | 'both';

/** Runs `fn` inside a frame: calls that it starts, and what they start, can see it. */
export function runNested<R>(frame: NestingFrame, fn: () => R): R {
  // Each `run` leaves a context behind that the next wait would hold, 180 bytes of it; a snapshot brings back the one before.
  return AsyncLocalStorage.snapshot()(() => prepareNesting().run(frame, fn));
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

/** What {@link rememberGivenUp} and {@link wasGivenUp} need to know of a call; both numbers by `Runtime.sequence`. */
export interface NestedCall {
  readonly startedAs: number;
  readonly attemptStartedAs: number;
}

/**
 * Runs the function of an attempt, with a frame around it where frames are carried; {@link takeFrame} gives that frame
 * back. Frames are kept beside the calls, and only while an attempt runs: a field in each would weigh on all of them,
 * for the sake of few.
 */
export function runFramed<R>(call: NestedCall, mode: 'inner' | 'outer', fn: () => R): R {
  const frame = frames.get(call) ?? {
    retriesOutside: mode === 'outer' || nestingFrame()?.retriesOutside === true,
    gaveUp: false,
  };
  frames.set(call, frame);
  return runNested(frame, fn);
}

/** The frame of the attempt that has ended, which is forgotten; undefined where frames were not carried. */
export function takeFrame(call: NestedCall): NestingFrame | undefined {
  const frame = frames.get(call);
  if (frame !== undefined) frames.delete(call);
  return frame;
}

const frames = new WeakMap<NestedCall, NestingFrame>();

/**
 * Remembers that a call has given up on an error after retries.
 *
 * @param previous what its attempt before the last one threw
 */
export function rememberGivenUp(call: NestedCall, error: unknown, previous: unknown): void {
  const frame = nestingFrame();
  if (frame !== undefined) frame.gaveUp = true;
  if (!isObject(error)) return;
  const earlier = runtime.givenUp.get(error);
  // Thrown twice, it says nothing of which call is inside which: from now on frames have to tell.
  if (previous === error || (earlier !== undefined && earlier <= call.attemptStartedAs)) {
    runtime.thrownAgain.add(error);
    prepareNesting();
  }
  runtime.givenUp.set(error, call.startedAs);
  runtime.latestGivenUp = Math.max(runtime.latestGivenUp, call.startedAs);
}

/**
 * True when a call inside the present attempt has given up on `error`, or on what it wraps: its cause, or every one of
 * its `errors`. As long as each failure has an error object of its own, the order of starts tells a call inside this
 * attempt from any other; where one object is thrown again and again, the frames do.
 *
 * @param frame that of the attempt, where frames are carried
 */
export function wasGivenUp(call: NestedCall, error: unknown, frame: NestingFrame | undefined): boolean {
  const gaveUpInside = frame?.gaveUp;
  if (gaveUpInside === false) return false;
  const isGivenUp = (each: object): boolean =>
    runtime.thrownAgain.has(each) ? gaveUpInside === true : (runtime.givenUp.get(each) ?? 0) > call.attemptStartedAs;
  return wraps(error, isGivenUp, MAX_DEPTH);
}

/** How many causes deep an error is looked into, and how many errors of an AggregateError. */
const MAX_DEPTH = 5;
const MAX_ERRORS = 10;

function wraps(error: unknown, isGivenUp: (error: object) => boolean, depth: number): boolean {
  if (!isObject(error)) return false;
  if (isGivenUp(error)) return true;
  if (depth === 0) return false;
  const errors = read(error, 'errors');
  const length = read(errors, 'length');
  if (typeof errors === 'object' && typeof length === 'number' && length > 0 && length <= MAX_ERRORS) {
    for (let i = 0; i < length; i++) if (!wraps(read(errors, i), isGivenUp, depth - 1)) return false;
    return true;
  }
  return wraps(read(error, 'cause'), isGivenUp, depth - 1);
}
