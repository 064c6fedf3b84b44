import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { number } from '../say.ts';

/** Retries that are granted whatever happens. */
export const floorPerProcess: Rule<FileView> = {
  code: 'floor-per-process',
  severity: 'warning',
  why: 'Each process has the floor to itself, so a fleet of a hundred retries a hundred times as much into an outage.',
  fix: 'Set minPerSecond to 0, or use kind success; RedisBudget is one budget for a whole fleet.',
  find: ({ limits }) =>
    limits.flatMap(({ where, kind, settings }) => {
      const floor = kind === 'window' ? Number(settings.minPerSecond ?? 0) : 0;
      if (floor === 0) return [];
      const what = `It always grants ${number(floor)} retries a second in each process: ${number(floor * 100)} in a hundred.`;
      return [{ where, what, severity: floor >= HIGH_FLOOR ? 'error' : 'warning' }];
    }),
};

/** Retries per second: at Finagle's 10 a budget is none. */
const HIGH_FLOOR = 10;
