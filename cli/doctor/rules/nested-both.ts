import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';
import { number } from '../say.ts';

/** Layers whose attempts multiply. */
export const nestedBoth: Rule<FileView> = {
  code: 'nested-both',
  severity: 'warning',
  why: 'Every layer retries, and attempts multiply: three layers of four make 64 calls at the bottom.',
  fix: "Leave nested out: the layer nearest to the failure retries, and the others don't.",
  // Rules for services are no layer below an operation: inside its attempts none is applied.
  find: ({ policies }) =>
    policies.flatMap(({ where, options: { nested, maxAttempts } }) =>
      nested !== 'both' || maxAttempts === 1
        ? []
        : [{ where, what: `nested is both, with ${number(maxAttempts)} attempts.` }],
    ),
};
