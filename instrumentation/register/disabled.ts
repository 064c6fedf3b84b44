import { checkOptions } from '../../src/engine/option-checks.ts';
import { warn } from './warn.ts';

/** What `RETRYSCOPE_INSTRUMENTATIONS_DISABLED=name,name` leaves alone. A name that is none of `known` is told. */
export function disabledNames(known: readonly string[]): ReadonlySet<string> {
  const named = (process.env.RETRYSCOPE_INSTRUMENTATIONS_DISABLED ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '');
  const allowed = Object.fromEntries(known.map(name => [name, () => undefined]));
  for (const name of named) {
    try {
      checkOptions('names', { [name]: true }, allowed);
    } catch (error) {
      warn('RETRYSCOPE_DISABLED_NAME', `RETRYSCOPE_INSTRUMENTATIONS_DISABLED: ${(error as TypeError).message}`);
    }
  }
  return new Set(named);
}
