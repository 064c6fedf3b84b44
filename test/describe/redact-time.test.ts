import { redact, redactWithin } from '../../src/engine/redact.ts';
import { growthOf } from '../support/growth.ts';

describe('the time that redacting takes', () => {
  it.each(
    'eyJ|-eyJ|a|//a:a|a:|4 |4|password=|password="|-----BEGIN A-----|?a|?a=|\\|\\"|bearer |a.|-| |password="\\|ghp_|cookie: |token | --a|&;|token=[|"|password \'|hooks.slack.com/services/|password:  |a[|a[b]|%22a%22|%22password%22%3A{|password={|password={"|password=[\'|<a|<password>|<password>a</token>|</password>|<a:b c|name="a"|name="password"\r\n\r\n|name="a"\\n|\\n|name=a value|name=a value=|api key: |api  key |private key: {|password=\'\'|mysql |mysql -p| -p|-u a:|-u|sshpass -p |token "|token "a|bearer "|%25|\n    at '.split(
      '|',
    ),
  )('is in proportion to the text: %j over and over', unit => {
    const redacting = (length: number): (() => void) => {
      const text = unit.repeat(length / unit.length);
      return () => void redact(text);
    };
    redacting(20_000)();
    // Four times the text: 4 when linear, 16 when quadratic.
    expect(growthOf(redacting(50_000), redacting(200_000), 1)).toBeLessThan(10);
  });

  it('does not depend on how much is behind the cut', () => {
    const cutting = (repeats: number): (() => void) => {
      const text = 'password="'.repeat(repeats);
      return () => void redactWithin(text, 1024);
    };
    expect(growthOf(cutting(5000), cutting(500_000), 1)).toBeLessThan(10);
  });
});
