import type { DeadLetterStore } from '../../../src/recovery/dead-letters/dead-letter-store.ts';

/** A letter that the test has, and nobody else. */
export interface HeldLetter {
  /** Whether all other letters are done with. */
  readonly isTheLast: () => Promise<boolean>;
  /** Lets the others have it. */
  readonly letGo: () => Promise<void>;
}

/**
 * Keeps a letter of a store to the test, so that redrivers have not finished before they are killed, however little the test
 * gets to run meanwhile.
 */
export async function holdOne(store: DeadLetterStore): Promise<HeldLetter> {
  const [claim] = await store.claim(1, {}, 'the test', 3_600_000);
  if (claim === undefined) throw new Error('there is no letter to hold');
  return {
    isTheLast: async () => {
      const { queues } = await store.stats();
      return queues.reduce((sum, { dead, claimed }) => sum + dead + claimed, 0) === 1;
    },
    letGo: async () => {
      if (!(await store.release(claim.letter.id, claim.token))) throw new Error('somebody else has the letter');
    },
  };
}
