import picocolors from 'picocolors';

/** The colours of the demo; every function gives plain text when colours are off. */
export type Style = ReturnType<typeof picocolors.createColors>;

export function styleFor(colour: 'on' | 'off'): Style {
  return picocolors.createColors(colour === 'on');
}

/** A time for people: milliseconds below a second, seconds above. */
export function formatMs(ms: number): string {
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** Why a call ended, in words. */
export const OUTCOMES: Readonly<Record<string, string>> = {
  success: 'succeeded at once',
  success_after_retry: 'recovered',
  not_retryable: 'not retryable',
  attempts_exhausted: 'attempts exhausted',
  deadline_exceeded: 'out of time',
  budget_exhausted: 'no budget left',
  circuit_open: 'circuit open',
  already_retried: 'retried below',
  aborted: 'aborted by the caller',
  handed_over: 'waits in a queue',
};
