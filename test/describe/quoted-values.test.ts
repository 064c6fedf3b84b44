import fc from 'fast-check';
import { describeError, errorMessage } from '../../src/engine/describe-error.ts';
import { hideQuotedValues } from '../../src/engine/quoted-values.ts';
import { redact } from '../../src/engine/redact.ts';

const VALUE = 'jane@doe.test';
const pgError = (message: string, code = '22P02'): Error => Object.assign(new Error(message), { code });

/** Messages that quote a value, and what is left of them. */
const QUOTING: readonly (readonly [message: (value: string) => string, hidden: string])[] = [
  // PostgreSQL, classes 22 and 42
  [v => `invalid input syntax for type integer: "${v}"`, 'invalid input syntax for type integer: "[redacted]"'],
  [
    v => `invalid input syntax for type timestamp with time zone: "${v}"`,
    'invalid input syntax for type timestamp with time zone: "[redacted]"',
  ],
  [v => `invalid input value for enum mood: "${v}"`, 'invalid input value for enum mood: "[redacted]"'],
  [v => `value "${v}" is out of range for type integer`, 'value "[redacted]" is out of range for type integer'],
  [v => `date/time field value out of range: "${v}"`, 'date/time field value out of range: "[redacted]"'],
  [v => `malformed array literal: "${v}"`, 'malformed array literal: "[redacted]"'],
  [v => `syntax error at or near "${v}"`, 'syntax error at or near "[redacted]"'],
  // Its details, which some mappers put into the message
  [v => `Key (email)=(${v}) already exists.`, 'Key (email)=([redacted]) already exists.'],
  [v => `Key (a, lower(b))=(1, ${v}) is not present in`, 'Key (a, lower(b))=([redacted]) is not present in'],
  [v => `Failing row contains (7, ${v}, null).`, 'Failing row contains ([redacted]).'],
  // MySQL
  [v => `Duplicate entry '${v}' for key 'users.email'`, "Duplicate entry '[redacted]' for key 'users.email'"],
  [
    v => `Incorrect integer value: '${v}' for column 'age' at row 1`,
    "Incorrect integer value: '[redacted]' for column 'age' at row 1",
  ],
  [v => `Truncated incorrect DOUBLE value: '${v}'`, "Truncated incorrect DOUBLE value: '[redacted]'"],
  [v => `the right syntax to use near '${v}' at line 1`, "the right syntax to use near '[redacted]' at line 1"],
  // Redis, before and after version 7
  [
    v => `ERR unknown command 'X', with args beginning with: '${v}' 'b' `,
    "ERR unknown command 'X', with args beginning with: '[redacted]' ",
  ],
  [
    v => `ERR unknown command \`X\`, with args beginning with: \`${v}\`, `,
    'ERR unknown command `X`, with args beginning with: `[redacted]`, ',
  ],
  // JSON.parse
  [
    v => `Unexpected token 'h', ..."{"a": ${v}"... is not valid JSON`,
    'Unexpected token \'h\', ..."[redacted]"... is not valid JSON',
  ],
  [v => `Unexpected token '\n', "${v}" is not valid JSON`, 'Unexpected token \'\n\', "[redacted]" is not valid JSON'],
];

describe('a quoted value', () => {
  it.each(QUOTING.map(([message, hidden]) => [message(VALUE), hidden]))('%j', (message, hidden) => {
    // Redis' second argument is hidden with the first.
    expect(redact(message as string)).toBe(hidden);
    expect(redact(hidden as string)).toBe(hidden);
  });

  it.each([
    'duplicate key value violates unique constraint "users_email_key"',
    'null value in column "email" of relation "users" violates not-null constraint',
    'insert or update on table "a" violates foreign key constraint "b"',
    'column "user" does not exist',
    'password authentication failed for user "svc"',
    "Data too long for column 'name' at row 1",
    'Unexpected end of JSON input',
    'the value "blue" is none of the colours',
    'Key (email)= nothing',
  ])('is none of the names in %j', message => {
    expect(redact(message)).toBe(message);
  });

  it.each([
    ["Duplicate entry 'jane' (again)", "Duplicate entry '[redacted]' (again)"],
    ["Duplicate entry '' for key 'k'", "Duplicate entry '[redacted]' for key 'k'"],
    ['syntax error at or near "" and more', 'syntax error at or near "[redacted]" and more'],
  ])('has an end in %j', (message, hidden) => {
    expect(redact(message)).toBe(hidden);
  });

  it('goes to its last mark, whatever stands in it, and no stack frame goes with it', () => {
    const hard = 'a"b") \' for key (';
    const stack = `Error: malformed array literal: "${hard}"\n    at f ("/x.js":1:2)`;
    expect(redact(stack)).toBe('Error: malformed array literal: "[redacted]"\n    at f ("/x.js":1:2)');
  });

  it('goes to the end of the message where it was cut off', () => {
    expect(redact('malformed array literal: "abc, and no end')).toBe('malformed array literal: "[redacted]');
    expect(redact("Duplicate entry 'abc\n    at f (x.js:1:2)")).toBe(
      "Duplicate entry '[redacted]\n    at f (x.js:1:2)",
    );
  });

  it('is hidden as often as there is one', () => {
    const text = `Duplicate entry '${VALUE}' for key 'k'; caused by: Failing row contains (${VALUE}); malformed array literal: "${VALUE}"`;
    expect(redact(text)).toBe(
      "Duplicate entry '[redacted]' for key 'k'; caused by: Failing row contains ([redacted]); malformed array literal: \"[redacted]\"",
    );
  });

  it('is never seen, whatever it is, and hiding twice is hiding once', () => {
    const odd = fc.string({
      unit: fc.constantFrom(...'"\'`(): ', 'a', ' for key ', 'at or near "', '\n', '[redacted]'),
    });
    fc.assert(
      fc.property(fc.constantFrom(...QUOTING), odd, odd, ([message], before, after) => {
        const text = message(`${before}SECRET${after}`);
        const hidden = hideQuotedValues(text);
        expect(hidden).not.toContain('SECRET');
        expect(hideQuotedValues(hidden)).toBe(hidden);
      }),
    );
  });
});

describe('an error of PostgreSQL about data', () => {
  it.each([
    ['invalid input syntax for type integer: "jane@doe.test"', 'invalid input syntax for type integer: "[redacted]"'],
    ['invalid value "jane" for "YYYY"', 'invalid value "[redacted]"'],
    ['ungültige Eingabesyntax für Typ integer: »jane«', 'ungültige Eingabesyntax für Typ integer: »[redacted]«'],
    [
      'syntaxe en entrée invalide pour le type integer : « jane »',
      'syntaxe en entrée invalide pour le type integer : «[redacted]»',
    ],
    ['division by zero', 'division by zero'],
  ])('%j is told without its values', (message, told) => {
    const error = pgError(message);
    expect(errorMessage(error)).toBe(told);
    const { stack } = describeError(error);
    expect(stack?.startsWith(`Error: ${told}\n    at `)).toBe(true);
    expect(error.message).toBe(message);
  });

  it('is told so by errors around it as well, even in their own words', () => {
    const inner = pgError('ungültige Eingabesyntax für Typ integer: »jane«');
    const outer = new Error(`could not save (${inner.message})`, { cause: new Error('refused', { cause: inner }) });
    const told = describeError(outer);
    expect(told.message).toBe(
      'could not save (ungültige Eingabesyntax für Typ integer: »[redacted]«); caused by: refused',
    );
    expect(told.stack).not.toContain('jane');
  });

  it('shows no value that looks like a stack, and none that a cut goes through', () => {
    const error = pgError(`zu lang: »${'x"» '.repeat(3000)}\n    at SECRET (SECRET.js:1:2)«`);
    const told = describeError(error);
    expect(told.message).toBe('zu lang: »[redacted]«');
    expect(told.stack).not.toContain('SECRET');
    expect(told.stack).toMatch(/^Error: zu lang: »\[redacted\]«\n {4}at .*quoted-values\.test\.ts/);
  });

  it('is known by its class of SQLSTATE alone', () => {
    for (const code of ['23505', 'P0001', '22', '220000', 'X22000', 22000, undefined]) {
      expect(errorMessage(Object.assign(new Error('the "name" of it'), { code }))).toBe('the "name" of it');
    }
    expect(errorMessage(pgError('', '22000'))).toBe('');
    expect(errorMessage({ code: '22000', message: 5 })).toBe('[no readable message]');
    expect(errorMessage(new Error('a 5', { cause: { code: '22000', message: 5 } }))).toBe('a 5');
    expect(errorMessage(new Error('a', { cause: { code: '22000', message: Symbol('"b"') } }))).toBe('a');
  });
});
