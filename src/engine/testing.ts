import { runtime, type TestingMode } from './runtime.ts';

/**
 * Changes how every call of the process behaves until it is called again with nothing: fewer attempts, no waits.
 * Meant for the tests of code that retries. The environment variable `RETRYSCOPE_DISABLED=1` does the same as
 * `setTesting({ attempts: 1, delays: 'none' })` for a whole process.
 *
 * @throws RangeError when `attempts` is not an integer of 1 or more
 *
 * @example
 * ```ts
 * beforeEach(() => setTesting({ attempts: 2, delays: 'none' }));
 * afterEach(() => setTesting());
 * ```
 */
export function setTesting(mode?: TestingMode): void {
  const attempts = mode?.attempts;
  if (attempts !== undefined && (!Number.isInteger(attempts) || attempts < 1)) {
    throw new RangeError(`setTesting: attempts is ${String(attempts)}; it must be an integer of 1 or more`);
  }
  runtime.testing = mode === undefined ? runtime.disabled : { ...mode };
}
