import type { FileView, PolicyEntry } from '../file-view.ts';
import type { Hit, Rule } from '../finding.ts';
import { duration, number } from '../say.ts';

/** Limits of time that leave no room for the attempts. */
export const noTimeToRetry: Rule<FileView> = {
  code: 'no-time-to-retry',
  severity: 'error',
  why: 'A wait that would pass maxElapsed is not started, so the attempts behind it are never made.',
  fix: 'Raise maxElapsed, or lower attemptTimeout, initialDelay or maxAttempts until they fit in.',
  find: ({ policies }) => policies.flatMap(lackOfTime),
};

/** The shortest share of a delay that each jitter draws. */
const SHORTEST: Readonly<Record<string, number>> = {
  true: 0.5,
  false: 1,
  full: 0,
  equal: 0.5,
  proportional: 0.8,
  decorrelated: 1,
};

function lackOfTime({ where, options, worstCase }: PolicyEntry): Hit[] {
  const { maxAttempts, maxElapsed, attemptTimeout, initialDelay, maxDelay, backoff, jitter } = options;
  if (maxElapsed === Infinity || maxAttempts === 1) return [];
  const first = Math.min(
    typeof backoff === 'object' && jitter !== 'decorrelated' ? (backoff[0] ?? 0) : initialDelay,
    maxDelay,
  );
  const shortest = first * (SHORTEST[String(jitter)] ?? 0);
  if (shortest >= maxElapsed) {
    return [
      {
        where,
        what: `maxElapsed is ${duration(maxElapsed)}, and the first delay at least ${duration(shortest)}: nothing is ever retried.`,
      },
    ];
  }
  if (attemptTimeout !== Infinity && attemptTimeout >= maxElapsed) {
    const what = `One attempt may take ${duration(attemptTimeout)}, and the whole call ${duration(maxElapsed)}: what times out is never retried.`;
    return [{ where, what, severity: 'warning' }];
  }
  const attempts = attemptTimeout * maxAttempts;
  if (attempts !== Infinity && attempts > maxElapsed) {
    const what = `${number(maxAttempts)} attempts of ${duration(attemptTimeout)} take ${duration(attempts)} without their delays; maxElapsed is ${duration(maxElapsed)}.`;
    return [{ where, what, severity: 'warning' }];
  }
  // Waits alone: attempts that fail at once.
  if (worstCase(0) >= maxElapsed && maxElapsed <= first * 1.5) {
    const what = `maxElapsed is ${duration(maxElapsed)}, and the first delay may be longer.`;
    return [{ where, what, severity: 'warning' }];
  }
  return [];
}
