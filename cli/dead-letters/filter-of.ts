import type { LetterFilter } from 'retryscope/dead-letters';
import type { StopReason } from '../../src/engine/outcome.ts';
import type { LetterStateName } from '../../src/recovery/dead-letters/letter.ts';

/** Which letters are meant, as the options of a command say it. */
export interface FilterOptions {
  readonly ids?: readonly string[];
  readonly queue?: string;
  readonly operation?: readonly string[];
  readonly errorType?: string;
  readonly reason?: StopReason;
  readonly state?: readonly LetterStateName[];
  readonly olderThan?: number;
  readonly newerThan?: number;
}

/** The filter that the options stand for. */
export function filterOf(options: FilterOptions): LetterFilter {
  const { ids, queue, operation, errorType, reason, state, olderThan, newerThan } = options;
  return {
    ...(ids === undefined ? undefined : { ids }),
    ...(queue === undefined ? undefined : { queue }),
    ...(operation === undefined ? undefined : { operations: operation }),
    ...(errorType === undefined ? undefined : { errorType }),
    ...(reason === undefined ? undefined : { reason }),
    ...(state === undefined ? undefined : { states: state }),
    ...(olderThan === undefined ? undefined : { minAgeMs: olderThan }),
    ...(newerThan === undefined ? undefined : { maxAgeMs: newerThan }),
  };
}
