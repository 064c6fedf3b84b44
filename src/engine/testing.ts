import { checkOptions, isNumber, ofType } from './option-checks.ts';
import { runtime, type TestingMode } from './runtime.ts';

/**
 * Changes how every call of the process behaves until it is called again with nothing: fewer attempts, no waits.
 * Meant for the tests of code that retries. The environment variable `RETRYSCOPE_DISABLED=1` does the same as
 * `setTesting({ attempts: 1, delays: 'none' })` for a whole process.
 *
 * @throws TypeError or RangeError, naming the option, the value and what is allowed
 *
 * @example
 * ```ts
 * beforeEach(() => setTesting({ attempts: 2, delays: 'none' }));
 * afterEach(() => setTesting());
 * ```
 */
export function setTesting(mode?: TestingMode): void {
  if (mode !== undefined) checkOptions('the options of setTesting', mode, CHECKS);
  runtime.testing = mode === undefined ? runtime.disabled : { ...mode };
}

const CHECKS = {
  attempts: ofType('an integer of 1 or more', isNumber, v => Number.isInteger(v) && (v as number) >= 1),
  delays: ofType("'none'", v => v === 'none'),
};
