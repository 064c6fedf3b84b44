import type { CallTrace } from './call-trace.ts';

/** Kinds of calls worth looking at; the first call of each kind is kept. */
const KINDS: readonly (readonly [string, (call: CallTrace) => boolean])[] = [
  ['recovered after two failures', call => call.outcome === 'success_after_retry' && call.attempts.length >= 3],
  ['the server said when', call => call.attempts.some(attempt => attempt.delaySource === 'retry_after')],
  [
    'an attempt timed out',
    call =>
      call.outcome.startsWith('success') &&
      call.attempts.some(({ errorType }) => /TIMEOUT|TimeoutError/.test(errorType ?? '')),
  ],
  ['all attempts failed', call => call.outcome === 'attempts_exhausted'],
  ['the budget said no', call => call.outcome === 'budget_exhausted'],
  ['the circuit was open', call => call.outcome === 'circuit_open' && call.attempts.length > 0],
  ['the layer below had retried', call => call.outcome === 'already_retried'],
  ['a hedge beside a slow attempt', call => call.attempts.some(({ delaySource }) => delaySource === 'hedge')],
  ['out of time', call => call.outcome === 'deadline_exceeded' && call.attempts.length > 1],
  ['the caller lost patience', call => call.outcome === 'aborted' && call.attempts.length > 1],
  ['a long wait', call => call.outcome === 'handed_over'],
  ['nothing happened', call => call.outcome === 'success'],
];

/** Keeps one call of each kind. */
export class Gallery {
  readonly #shown = new Map<string, CallTrace>();

  add(call: CallTrace): void {
    for (const [kind, fits] of KINDS) {
      if (!this.#shown.has(kind) && fits(call)) {
        this.#shown.set(kind, call);
        return;
      }
    }
  }

  /** The calls, in the order of their kinds. */
  read(): CallTrace[] {
    return KINDS.flatMap(([kind]) => this.#shown.get(kind) ?? []);
  }
}
