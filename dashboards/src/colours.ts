import type { LABEL_VALUES } from '../../instrumentation/names.ts';

/** Colours of what becomes of calls: green and yellow reached their callers as an answer, the others as an error. */
export const OUTCOME_COLOURS: Readonly<Record<(typeof LABEL_VALUES.outcome)[number], string>> = {
  success: 'green',
  success_after_retry: 'yellow',
  not_retryable: 'blue',
  attempts_exhausted: 'red',
  deadline_exceeded: 'orange',
  budget_exhausted: 'dark-orange',
  circuit_open: 'purple',
  already_retried: 'dark-blue',
  aborted: 'text',
};
