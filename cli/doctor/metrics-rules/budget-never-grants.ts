import type { Rule } from '../finding.ts';
import { label, type MetricsView, series, sumBy } from '../metrics-view.ts';
import { number } from '../say.ts';

/** Budgets that have said nothing but no. */
export const budgetNeverGrants: Rule<MetricsView> = {
  code: 'budget-never-grants',
  severity: 'error',
  why: 'A budget that never pays for a retry turns retries off, and looks as if they were on.',
  fix: 'Raise its capacity above what a retry costs, and its ratio above 0.',
  find: view => {
    const [decision, budget] = [label('decision'), label('budget')];
    const answers = (word: string): Map<string, number> =>
      sumBy(
        view.of('budgetWithdrawals').filter(({ labels }) => labels[decision] === word),
        budget,
      );
    const granted = answers('granted');
    return [...answers('denied')].flatMap(([name, denied]) =>
      denied >= ENOUGH && (granted.get(name) ?? 0) === 0
        ? [
            {
              where: series('budgetWithdrawals', { [budget]: name }),
              what: `It said no ${number(denied)} times, and never yes.`,
            },
          ]
        : [],
    );
  },
};

/** Fewer may be bad luck, in a process that has just started. */
const ENOUGH = 20;
