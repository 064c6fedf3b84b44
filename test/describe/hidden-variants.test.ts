import { redact } from '../../src/engine/redact.ts';
import { isSecretName } from '../../src/engine/secret-names.ts';

// What each pattern of the redactor allows for: more than one space, line ends of both kinds, marks that are escaped.

const S = 'S3cr3tV4lu3xyz';

describe('a secret is hidden', () => {
  it.each<[string, string]>([
    // Commands
    [`run -token ${S} x`, 'run -token [redacted] x'],
    [`run --token   ${S} x`, 'run --token   [redacted] x'],
    ['curl -u 1234:5678abc https://x', 'curl -u 1234:[redacted] https://x'],
    [`sshpass -p   ${S} ssh a`, 'sshpass -p   [redacted] ssh a'],
    [`[ 'sshpass', '-p', '${S}' ]`, "[ 'sshpass', '-p', '[redacted]' ]"],
    [`redis-cli -a   ${S} ping`, 'redis-cli -a   [redacted] ping'],
    [`[ 'redis-cli', '-a', '${S}' ]`, "[ 'redis-cli', '-a', '[redacted]' ]"],
    // PEM blocks
    [`-----BEGIN X509 CRL-----\n${S}\n-----END X509 CRL-----\nnext`, '[redacted]\nnext'],
    // Phrases
    [`PASSWORD   'a ${S}'`, "PASSWORD   '[redacted]'"],
    [`api   key: ${S}`, 'api   key: [redacted]'],
    [`pass   phrase: ${S}`, 'pass   phrase: [redacted]'],
    [`connection   string: ${S}`, 'connection   string: [redacted]'],
    [`API key   provided: ${S}`, 'API key   provided: [redacted]'],
    [`API key   "${S}"`, 'API key   "[redacted]"'],
    [`private key:${S}`, 'private key:[redacted]'],
    [`private key:   ${S}`, 'private key:   [redacted]'],
    [`password=${S};`, 'password=[redacted];'],
    // Markup
    [`<soap:Password>-${S}</soap:Password> x`, '<soap:Password>[redacted]</soap:Password> x'],
    [`name = "password", value = "${S}"`, 'name = "password", value = "[redacted]"'],
    // Parts of a form, by their line ends: LF, and both kinds as JSON writes them, once and twice
    [`name="password"\n\n${S}\n--x`, 'name="password"\n\n[redacted]\n--x'],
    [
      `name="secret"; filename="a.txt"\nContent-Type: text/plain\n\n${S}\n--x`,
      'name="secret"; filename="a.txt"\nContent-Type: text/plain\n\n[redacted]\n--x',
    ],
    [`name=\\"pin\\"\\n\\n${S}\\n--x`, 'name=\\"pin\\"\\n\\n[redacted]\\n--x'],
    [
      `name=\\"pin\\"; filename=\\"a\\"\\nA: \\"b\\"\\n\\n${S}\\n--x`,
      'name=\\"pin\\"; filename=\\"a\\"\\nA: \\"b\\"\\n\\n[redacted]\\n--x',
    ],
    [
      `name=\\\\"pin\\\\"; filename=\\\\"a\\\\"\\\\r\\\\nA: \\\\"b\\\\"\\\\r\\\\n\\\\r\\\\n${S}\\\\r\\\\n--x`,
      'name=\\\\"pin\\\\"; filename=\\\\"a\\\\"\\\\r\\\\nA: \\\\"b\\\\"\\\\r\\\\n\\\\r\\\\n[redacted]\\\\r\\\\n--x',
    ],
    [`name="password"\r\n\r\n${S}\n    at f (a.js:1:2)`, 'name="password"\r\n\r\n[redacted]\n    at f (a.js:1:2)'],
    // Tokens
    ['Negotiate   YIIJvwYGKwYBBQUCoIIJszCC', 'Negotiate   [redacted]'],
    ['token   abcdefghijklmnop1', 'token   [redacted]'],
    [`Bearer "error.${S}"`, 'Bearer "[redacted]"'],
    [`invalid token   "${S}"`, 'invalid token   "[redacted]"'],
    ['token "abcdef7"', 'token "[redacted]"'],
    ['token "abcdefghijklmnopqrstuv"', 'token "[redacted]"'],
    ['the hvs.abcdefghij1 is sealed', 'the [redacted] is sealed'],
    ['the sntrys_abcdefghij12', 'the [redacted]'],
    ['the npm_abcdefghijklmnopqrst', 'the [redacted]'],
    ['the SG.abcdefghijkl.mnopqrstuvwx', 'the [redacted]'],
    // What a parser quotes of its text
    [`Unexpected token '😀', "${S}" is not valid JSON`, 'Unexpected token \'😀\', "[redacted]" is not valid JSON'],
  ])('%j', (text, expected) => {
    expect(redact(text)).toBe(expected);
    expect(redact(expected)).toBe(expected);
  });
});

describe('what only looks like one stays readable', () => {
  it.each([
    'docker run -u 0:0 x',
    "[ '-u', '0:0' ]",
    'https://host:8/@scope/a',
    'API key: missing. Set it',
    'Basic credential is wrong',
    'Bearer "authentication" is required',
    'Bearer "credential" is required',
    'expected token "abc123def"',
    'unexpected   token "abc123def"',
    'illegal token "abc123def"',
    'illegal   token "abc123def"',
  ])('%j', text => {
    expect(redact(text)).toBe(text);
  });

  it('is no name of a secret', () => {
    expect(isSecretName('max_token')).toBe(false);
  });
});
