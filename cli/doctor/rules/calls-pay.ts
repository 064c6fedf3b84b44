import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';

/** Budgets that fill while everything fails. */
export const callsPay: Rule<FileView> = {
  code: 'calls-pay',
  severity: 'info',
  why: 'Calls pay for the tokens whether they succeed or not, so retries go on through a total outage.',
  fix: 'Use kind success: it has nothing to spend while nothing succeeds.',
  find: ({ limits }) =>
    limits.flatMap(({ where, section, kind }) =>
      section === 'budgets' && kind === 'window' ? [{ where, what: 'Its kind is window.' }] : [],
    ),
};
