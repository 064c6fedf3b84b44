import { checkName, integerFrom, milliseconds } from '../../engine/option-checks.ts';

/**
 * Checks what a claim asks for.
 *
 * @throws TypeError or RangeError, naming the value and what is allowed
 */
export function checkClaim(count: number, owner: string, leaseMs: number): void {
  integerFrom(1, 1000)('count', count);
  checkName('owner', owner);
  milliseconds(1)('leaseMs', leaseMs);
}
