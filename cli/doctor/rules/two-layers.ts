import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { list } from '../say.ts';
import { whyNever } from './never-applied.ts';

/** Operations around calls for which there is a rule as well. */
export const twoLayers: Rule<FileView> = {
  code: 'two-layers',
  severity: 'info',
  why: 'Inside an attempt that a policy retries no rule is applied: the attempts of the operation count, and those of the rule only for calls outside of it.',
  fix: 'Decide for one layer: retry the operation as a whole, or give it one attempt (maxAttempts: 1) and retry each call in it.',
  find: ({ operations, services }) => {
    const outer = operations.filter(({ policy }) => policy.options.maxAttempts > 1);
    const inner = services.filter(service => service.policy.options.maxAttempts > 1 && whyNever(service) === undefined);
    if (outer.length === 0 || inner.length === 0) return [];
    const [operation, rule] = [outer, inner].map(each => list(each.map(({ where }) => where)));
    const what = `What ${operation} calls is not retried by ${rule}.`;
    return [{ where: 'operations, services', what }];
  },
};
