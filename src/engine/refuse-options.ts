import { message } from './option-checks.ts';
import type { Policy } from './policy.ts';

/**
 * Refuses options that make no sense for a form of a call; `reasons` says which, and why.
 *
 * @throws TypeError that names the option, its value and the form
 */
export function refuseOptions(
  policy: Policy,
  form: string,
  reasons: Readonly<Partial<Record<'attemptTimeout' | 'bulkhead' | 'fallback' | 'hedge', string>>>,
): void {
  for (const [name, reason] of Object.entries(reasons)) {
    const value = policy[name as keyof Policy];
    if (value !== undefined && value !== Infinity) {
      throw new TypeError(message(name, value, `left out for ${form}: ${reason}`));
    }
  }
}
