import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { list } from '../say.ts';

/** Operations around calls that are retried as well. */
export const twoLayers: Rule<FileView> = {
  code: 'two-layers',
  severity: 'info',
  why: 'An operation that makes such a call is not retried itself once the call has given up, so its maxAttempts may never count.',
  fix: 'Decide for one layer: retry the operation as a whole, or each call in it.',
  find: ({ operations, services }) => {
    const outer = operations.filter(
      ({ policy }) => policy.options.maxAttempts > 1 && policy.options.nested === 'inner',
    );
    const inner = services.filter(({ policy }) => policy.options.maxAttempts > 1);
    if (outer.length === 0 || inner.length === 0) return [];
    const what = `${list(outer.map(({ where }) => where))} retry, and so do ${list(inner.map(({ where }) => where))}.`;
    return [{ where: 'operations, services', what }];
  },
};
