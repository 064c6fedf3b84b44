import type { FakeClock } from '../../src/testing/index.ts';

/** How a promise ended. */
export type Settled<T> = { readonly value: T } | { readonly error: unknown };

/** Lets the fake time run until the call has settled. */
export async function settle<T>(clock: FakeClock, call: Promise<T>): Promise<Settled<T>> {
  const settled = outcomeOf(call);
  await clock.runAll();
  return settled;
}

/** Turns a promise into a value that tells how it ended. */
export function outcomeOf<T>(call: Promise<T>): Promise<Settled<T>> {
  return call.then(
    value => ({ value }),
    (error: unknown) => ({ error }),
  );
}
