import { onAbort } from './abort.ts';

/**
 * Has `controller` abort when `signal` does, or at once where it has already; until the returned function is called.
 * Undefined is returned where there is nothing to stop.
 */
export function forwardAbort(signal: AbortSignal | undefined, controller: AbortController): (() => void) | undefined {
  if (signal === undefined) return undefined;
  if (!signal.aborted) return onAbort(signal, () => controller.abort(signal.reason));
  controller.abort(signal.reason);
  return undefined;
}
