import { reportFault } from '../../engine/faults.ts';
import type { StopReason } from '../../engine/outcome.ts';
import type { LetterKeeper } from '../dead-letters/letter-keeper.ts';
import type { ContinuedCall } from '../dead-letters/wait-keeper.ts';
import { earlierError } from './earlier-error.ts';

/** Whether a call has a letter: `not_stored` where its queue has it, counted it and told of it, but its store has not. */
export type Kept = 'kept' | 'not_stored' | 'by_nobody';

/** Leaves a letter of a call that no worker can go on with, with its arguments as they lie in the job. Never rejects. */
export async function keepStored(
  keeper: LetterKeeper | undefined,
  call: ContinuedCall,
  reason: StopReason,
): Promise<Kept> {
  if (keeper === undefined) return 'by_nobody';
  const { id, operation, payload, error, attempts, history, firstFailedAt, lastFailedAt, idempotencyKey } = call;
  const { version } = payload;
  const { trace, source } = call;
  try {
    const kept = await keeper.keep({
      ...{ id, operation, version, args: [], payload, error: earlierError(error), reason, attempts },
      ...{ history, firstFailedAt, failedAt: lastFailedAt, trace, idempotencyKey, source },
    });
    if (kept === 'not_kept') return 'by_nobody';
    return kept === 'not_stored' ? kept : 'kept';
  } catch (fault) {
    // A keeper of somebody else may well reject.
    reportFault('dead_letter', fault);
    return 'by_nobody';
  }
}
