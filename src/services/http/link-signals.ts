import { onAbort } from '../../engine/abort.ts';

/**
 * A signal that aborts with that of the attempt, and with the caller's as long as anybody still uses it: the caller may
 * abort while it reads the body, when the attempt is over.
 *
 * A caller's signal may live as long as the process. It holds what follows it only weakly, as fetch does itself;
 * `AbortSignal.any` would be kept by it for ever, since fetch listens to its signals and never stops.
 */
export function linkSignals(attempt: AbortSignal, caller: AbortSignal | undefined): AbortSignal {
  if (caller === undefined) return attempt;
  const controller = new AbortController();
  const { signal } = controller;
  if (attempt.aborted) {
    controller.abort(attempt.reason);
    return signal;
  }
  controllers.set(signal, controller);
  attempt.addEventListener('abort', () => controller.abort(attempt.reason), { once: true });
  gone.register(controller, follow(caller, new WeakRef(controller)));
  return signal;
}

/** A function of its own: closures of one function share what they hold, and another one holds the controller. */
function follow(caller: AbortSignal, controller: WeakRef<AbortController>): () => void {
  return onAbort(caller, () => controller.deref()?.abort(caller.reason));
}

/** A signal does not hold its controller, so this does, for as long as the signal lives. */
const controllers = new WeakMap<AbortSignal, AbortController>();

const gone = new FinalizationRegistry<() => void>(stopListening => stopListening());
