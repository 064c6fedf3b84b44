import { type Check, ofType } from '../../engine/option-checks.ts';

/** A check for what the keys in Redis begin with. */
export const checkKeyPrefix: Check = ofType(
  'a string of at most 200 characters',
  v => typeof v === 'string',
  v => (v as string).length <= 200,
);
