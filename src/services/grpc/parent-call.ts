import type { EventEmitter } from 'node:events';
import { type InterceptorOptions, propagate } from '@grpc/grpc-js';

/** The time at which a call has to have ended, by its own deadline and that of the call that it serves, if any. */
export function deadlineOf({ deadline, parent, propagate_flags: flags }: InterceptorOptions): number | undefined {
  const fromParent = isPassedOn(flags, propagate.DEADLINE) ? parent?.getDeadline() : undefined;
  const earliest = Math.min(Number(deadline ?? Infinity), Number(fromParent ?? Infinity));
  return Number.isFinite(earliest) ? earliest : undefined;
}

/**
 * Calls `cancel` when the call that this one serves is cancelled, until the returned function is called. grpc-js does so
 * while an attempt runs; nobody would while the next one is waited for.
 */
export function onParentCancelled(options: InterceptorOptions, cancel: () => void): () => void {
  const { parent, propagate_flags: flags } = options;
  if (parent === undefined || !isPassedOn(flags, propagate.CANCELLATION)) return () => undefined;
  // Of the four kinds of calls that it may be, each has the functions of an EventEmitter in its own words.
  const emitter: EventEmitter = parent;
  emitter.on('cancelled', cancel);
  return () => {
    emitter.off('cancelled', cancel);
  };
}

function isPassedOn(flags: number | undefined, flag: number): boolean {
  return ((flags ?? propagate.DEFAULTS) & flag) !== 0;
}
