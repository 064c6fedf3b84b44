import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { number } from '../say.ts';

/** Layers whose attempts multiply. */
export const nestedBoth: Rule<FileView> = {
  code: 'nested-both',
  severity: 'warning',
  why: 'Every layer retries, and attempts multiply: three layers of four make 64 calls at the bottom.',
  fix: "Leave nested out: the layer nearest to the failure retries, and the others don't.",
  find: ({ policies, services }) => {
    const below = Math.max(1, ...services.map(({ policy }) => policy.options.maxAttempts));
    return policies.flatMap(({ where, options: { nested, maxAttempts }, matches }) => {
      if (nested !== 'both' || maxAttempts === 1) return [];
      const product =
        matches.length === 0 && below > 1
          ? ` With the ${number(below)} of services, ${number(below * maxAttempts)} calls at the bottom.`
          : '';
      return [{ where, what: `nested is both, with ${number(maxAttempts)} attempts.${product}` }];
    });
  },
};
