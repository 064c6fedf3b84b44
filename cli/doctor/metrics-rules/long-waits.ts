import type { Rule } from '../finding.ts';
import { label, type MetricsView, series, sumBy } from '../metrics-view.ts';
import { count } from '../say.ts';

/** Delays that have grown beyond what anybody waits for. */
export const longWaits: Rule<MetricsView> = {
  code: 'long-waits',
  severity: 'warning',
  why: 'Calls stay in memory, and in the way, long after the other side is back.',
  fix: 'Lower maxDelay: 10000 is plenty where somebody waits.',
  find: view => {
    const buckets = view.of('delay').filter(({ labels }) => labels.le === LONG || labels.le === '+Inf');
    const below = sumBy(
      buckets.filter(({ labels }) => Number(labels.le) === Number(LONG)),
      label('operation'),
    );
    return [
      ...sumBy(
        buckets.filter(({ labels }) => labels.le === '+Inf'),
        label('operation'),
      ),
    ].flatMap(([operation, all]) => {
      const longer = all - (below.get(operation) ?? all);
      const where = series('delay', { [label('operation')]: operation });
      return longer > 0 ? [{ where, what: `${count(longer, 'wait')} of more than ${LONG} s.` }] : [];
    });
  },
};

/** Seconds: the last of the buckets. */
const LONG = '120';
