import type { FileView, LimitEntry } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { duration, number } from '../say.ts';

/** Breakers that hardly any outage opens. */
export const breakerNeverOpens: Rule<FileView> = {
  code: 'breaker-never-opens',
  severity: 'warning',
  why: 'The breaker stays closed through an outage, and protects nothing.',
  fix: 'Count fewer attempts: 5 failures in a row, or half of at least 20 attempts within 10 s.',
  find: ({ limits }) =>
    limits.flatMap(limit => {
      const what = limit.section === 'breakers' ? hurdle(limit) : undefined;
      return what === undefined ? [] : [{ where: limit.where, what }];
    }),
};

const MANY_FAILURES = 100;
const MANY_ATTEMPTS = 1000;
/** Attempts per second. */
const HIGH_RATE = 100;

interface Trip {
  readonly kind: 'consecutive' | 'count' | 'time';
  readonly failures?: number;
  readonly size?: number;
  readonly windowMs?: number;
  readonly failureRatio?: number;
  readonly minimum?: number;
}

function hurdle({ settings }: LimitEntry): string | undefined {
  const trip = (settings.trip ?? { kind: 'consecutive' }) as Trip;
  switch (trip.kind) {
    case 'consecutive': {
      const { failures = 5 } = trip;
      return failures > MANY_FAILURES
        ? `It takes ${number(failures)} failures in a row; one success starts anew.`
        : undefined;
    }
    case 'count': {
      const { size = 100, minimum = size, failureRatio = 0.5 } = trip;
      if (minimum > MANY_ATTEMPTS) return `It takes ${number(minimum)} attempts before it counts.`;
      return allOf(failureRatio, minimum);
    }
    case 'time': {
      const { windowMs = 10_000, minimum = 20, failureRatio = 0.5 } = trip;
      const rate = (minimum / windowMs) * 1000;
      if (rate > HIGH_RATE) {
        return `It takes ${number(minimum)} attempts within ${duration(windowMs)}: ${number(rate)} a second in this process.`;
      }
      return allOf(failureRatio, minimum);
    }
  }
}

function allOf(failureRatio: number, attempts: number): string | undefined {
  return failureRatio > 0.95 && attempts > 20
    ? `It takes ${number(failureRatio * 100)} % failures of ${number(attempts)} attempts; an outage that lets a few through does not count.`
    : undefined;
}
