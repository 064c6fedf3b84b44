import type { Rule } from '../finding.ts';
import { label, type MetricsView, series } from '../metrics-view.ts';

/** Circuits that somebody has opened by hand. */
export const breakerForcedOpen: Rule<MetricsView> = {
  code: 'breaker-forced-open',
  severity: 'warning',
  why: 'It lets no call through until somebody calls reset().',
  fix: 'Call reset() on the breaker once its service is well.',
  find: view =>
    view.of('breakerState').flatMap(({ labels, value }) => {
      const { [label('state')]: state, [label('breaker')]: breaker } = labels;
      return state === 'forced_open' && value === 1
        ? [
            {
              where: series('breakerState', { [label('breaker')]: breaker, [label('state')]: state }),
              what: 'It was opened by hand.',
            },
          ]
        : [];
    }),
};
