import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';

/** Delays that are the same for everybody. */
export const noJitter: Rule<FileView> = {
  code: 'no-jitter',
  severity: 'warning',
  why: 'Clients that failed together come back together, and bring the other side down again.',
  fix: 'Leave jitter out (it is on by default), or set it to full.',
  find: ({ policies }) =>
    policies.flatMap(({ where, options: { jitter }, waits }) =>
      jitter === false && waits.some(wait => wait > 0) ? [{ where, what: 'jitter is off.' }] : [],
    ),
};
