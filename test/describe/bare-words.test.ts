import fc from 'fast-check';
import { createRedactor, hidesValueOf, redact, setRedactor } from '../../src/engine/redact.ts';
import type { Redactor } from '../../src/engine/redactor.ts';
import { isSecretName } from '../../src/engine/secret-names.ts';

// Words without a mark or a space are redacted by a short cut. It must hide what the long way hides.

const parts = [
  'eyJ',
  'ghp_',
  'sk-',
  'AKIA',
  'hvs.',
  'SG.',
  '4111111111111111',
  '01234567',
  'token',
  'badge',
  'emp-12',
  '-',
  '.',
];
const words = fc.oneof(
  fc.array(fc.oneof(fc.constantFrom(...parts), fc.stringMatching(/^[\w.$-]{1,9}$/)), { minLength: 1, maxLength: 12 }),
  fc.array(fc.stringMatching(/^[\w.$-]{1,60}$/), { minLength: 1, maxLength: 3 }),
);
const word = words.map(some => some.join(''));
const mine = createRedactor({ secretNames: ['Badge'], extraPatterns: [/emp-\d+/, /n: "x/] });

describe.each<[string, Redactor]>([
  ['the default', redact],
  ['one of the user', mine],
])('of a bare word, %s', (_, redactor) => {
  afterEach(() => setRedactor(undefined));

  it('hides the same as in a text', () =>
    fc.assert(
      fc.property(word, text => expect(`${redactor(text)} `).toBe(redactor(`${text} `))),
      { numRuns: 2000 },
    ));

  it('knows whether it hides the value behind it', () => {
    setRedactor(redactor);
    fc.assert(
      fc.property(word, name => {
        const isHidden = isSecretName(name) || !redactor(`${name}: "x"`).endsWith('"x"');
        expect(hidesValueOf(name)).toBe(isHidden);
      }),
      { numRuns: 2000 },
    );
  });
});
