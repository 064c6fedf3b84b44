import { reportFault } from '../../engine/faults.ts';
import type { LetterSource } from './letter.ts';
import type { RegisteredOperation } from './operation-registry.ts';
import type { Ending } from './run-operation.ts';

/** What a letter needs beside how the call ended. */
export interface Given {
  /** Left out for a letter that gets an id of its own. */
  readonly id?: string;
  readonly args: readonly unknown[];
  readonly idempotencyKey: string;
  readonly source: LetterSource | undefined;
}

/**
 * Keeps a call that was given up in the queue of its operation. False where there is none, or the letter is not durable.
 * Never rejects: a keeper of somebody else may well do so.
 */
export async function keepLetter(
  { name, version, deadLetter }: RegisteredOperation,
  { stop, record }: Extract<Ending, { is: 'given_up' }>,
  given: () => Given,
): Promise<boolean> {
  if (deadLetter === undefined) return false;
  const { error, reason, attempts } = stop;
  try {
    const kept = await deadLetter.keep({ operation: name, version, error, reason, attempts, ...record, ...given() });
    return kept !== 'not_stored' && kept !== 'not_kept';
  } catch (fault) {
    reportFault('dead_letter', fault);
    return false;
  }
}
