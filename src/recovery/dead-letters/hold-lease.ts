import type { DeadLetterQueue } from './dead-letter-queue.ts';

/** Renews the lease of a letter while somebody works on it. A renewal that fails is tried again at the next turn. */
export function holdLease(
  { store, clock }: DeadLetterQueue,
  id: string,
  token: string,
  leaseMs: number,
): { end(): void } {
  let cancel: (() => void) | undefined;
  let isOver = false;
  const arm = (): void => {
    if (isOver) return;
    cancel = clock.timer(leaseMs / 3, () => void renew(), 'unref');
  };
  const renew = async (): Promise<void> => {
    try {
      await store.renew(id, token, leaseMs);
    } catch {
      // What became of the claim is seen when the letter is done with.
    }
    arm();
  };
  arm();
  return {
    end: () => {
      isOver = true;
      cancel?.();
    },
  };
}
