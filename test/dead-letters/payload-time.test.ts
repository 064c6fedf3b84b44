import { createRedactor, redact, setRedactor } from '../../src/engine/redact.ts';
import { type Json, redactPayload } from '../../src/recovery/dead-letters/index.ts';
import { growthOf } from '../support/growth.ts';

// The event loop waits for this: what a payload may be is for others to say.

const text = (unit: string): string => unit.repeat(200_000 / unit.length);

describe('the redaction of a payload', () => {
  afterEach(() => setRedactor(undefined));

  it.each([
    ['the default', undefined],
    ['one of the user', createRedactor({ secretNames: ['badge'] })],
  ])('asks for less than one run of the redactor for each of twenty thousand keys: %s', (_, redactor) => {
    setRedactor(redactor);
    const names = Array.from({ length: 20_000 }, (_item, i) => `field_${i}`);
    const payload: Json = [Object.fromEntries(names.map(name => [name, 1]))];
    const examples = (): void => {
      for (const name of names) (redactor ?? redact)(`${name}: "x"`);
    };
    // Two and more, where each key is asked for by way of an example.
    expect(growthOf(examples, () => void redactPayload(payload), 1)).toBeLessThan(1.5);
  });

  it.each(['a:', '//a:b', '//a:b@ ', 'a:b@ ', '//:'])('of %j over and over takes no longer than of words', unit => {
    const [words, hostile] = [text('a '), text(unit)];
    // Fourteen times as long, where each colon looks ahead for an @.
    expect(
      growthOf(
        () => void redactPayload([words]),
        () => void redactPayload([hostile]),
        1,
      ),
    ).toBeLessThan(7);
  });
});
