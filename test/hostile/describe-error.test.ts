import { describeError, errorType, MAX_MESSAGE, MAX_STACK } from '../../src/engine/describe-error.ts';
import { redact } from '../../src/engine/redact.ts';
import { growthOf } from '../support/growth.ts';
import { HOSTILE_VALUES } from './values.ts';

describe('describeError', () => {
  it.each(HOSTILE_VALUES)('is total and bounded: %s', (_name, make) => {
    const { type, message, code, stack } = describeError(make());
    expect(type).toMatch(/^[\w.:-]{1,64}$/);
    expect(typeof message).toBe('string');
    expect(message.length).toBeLessThanOrEqual(MAX_MESSAGE);
    expect((stack ?? '').length).toBeLessThanOrEqual(MAX_STACK);
    if (code !== undefined) expect(code).toMatch(/^[\w.:-]{1,64}$/);
  });

  it('does not touch the error', () => {
    const error = new Error('x', { cause: 'y' });
    const before = JSON.stringify(Object.getOwnPropertyDescriptors(error));
    describeError(error);
    expect(JSON.stringify(Object.getOwnPropertyDescriptors(error))).toBe(before);
  });

  it.each<[unknown, string]>([
    [Object.assign(new Error('x'), { code: 'ECONNRESET' }), 'ECONNRESET'],
    [Object.assign(new Error('x'), { code: '40P01' }), '40P01'],
    [Object.assign(new Error('x'), { code: 14 }), '14'],
    [Object.assign(new Error('x'), { code: 'two words', status: 503 }), '503'],
    [Object.assign(new Error('x'), { statusCode: 429 }), '429'],
    [Object.assign(new Error('x'), { response: { status: 502 } }), '502'],
    [Object.assign(new Error('x'), { status: 7 }), 'Error'],
    [new TypeError('x'), 'TypeError'],
    [new (class KafkaError extends Error {})('x'), 'Error'],
    [Object.assign(new Error('x'), { name: 'has spaces' }), 'Error'],
    [{ a: 1 }, 'Object'],
    ['text', 'string'],
    [undefined, 'undefined'],
    [null, 'null'],
    [() => 1, 'function'],
  ])('names %p as %s', (error, type) => {
    expect(errorType(error)).toBe(type);
  });
});

describe('redact', () => {
  it.each<[string, string]>([
    ['connect postgres://admin:hunter2@db.internal:5432/app', 'connect postgres://[redacted]@db.internal:5432/app'],
    ['GET https://x.test/a?token=abc123&page=2', 'GET https://x.test/a?token=[redacted]&page=2'],
    ['GET https://x.test/?q=jane%40doe.test#top', 'GET https://x.test/?q=[redacted]#top'],
    ['Authorization: Bearer abc.def.ghi', 'Authorization: [redacted]'],
    ['sent with bearer abcdef123456', 'sent with bearer [redacted]'],
    ['Cookie: sid=1; theme=dark\nnext line', 'Cookie: [redacted]\nnext line'],
    ['{"password":"hun\\"ter2","user":"jane"}', '{"password":"[redacted]","user":"jane"}'],
    ["{ apiKey: 'k-123', id: 5 }", "{ apiKey: '[redacted]', id: 5 }"],
    ['password=hunter2; host=db', 'password=[redacted]; host=db'],
    ['client_secret: s3cr3t, id: 4', 'client_secret: [redacted], id: 4'],
    ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', 'jwt [redacted]'],
    ['key AKIAIOSFODNN7EXAMPLE', 'key [redacted]'],
    ['ghp_abcdefghijklmnopqrstuvwxyz0123456789', '[redacted]'],
    ['sk_live_abcdefghijklmnop', '[redacted]'],
    ['-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- x', '[redacted] x'],
    ['-----BEGIN PRIVATE KEY-----\nMIIE and cut', '[redacted]'],
    ['card 4111 1111 1111 1111 declined', 'card [redacted] declined'],
    ['order 1234567890123 failed', 'order 1234567890123 failed'],
    ['connect ECONNREFUSED 127.0.0.1:5432', 'connect ECONNREFUSED 127.0.0.1:5432'],
    ['Broker not available', 'Broker not available'],
  ])('%j', (text, expected) => {
    expect(redact(text)).toBe(expected);
    expect(redact(redact(text))).toBe(redact(text));
  });

  it('leaves nothing of planted secrets in what everyday failures say', () => {
    const secrets = ['hunter2secret', 'tok_9f8e7d6c5b4a', 'sessionid31337'];
    const [password, token, session] = secrets;
    const failures: unknown[] = [
      new TypeError(`Failed to parse URL from https://user:${password}@host/path?token=${token}`),
      new TypeError('fetch failed', { cause: new Error(`connect to https://u:${password}@h`) }),
      Object.assign(new Error(`Invalid URL`), { code: 'ERR_INVALID_URL', input: `http://u:${password}@h` }),
      Object.assign(new Error('Request failed with status code 503'), {
        config: { headers: { Authorization: `Bearer ${token}` }, data: `{"password":"${password}"}` },
        response: { status: 503, headers: { 'set-cookie': [`sid=${session}`] } },
      }),
      new Error(`401: {"access_token":"${token}","session_id":"${session}"}`),
      new Error(`headers: Authorization: Bearer ${token}\nCookie: sid=${session}`),
      Object.assign(new Error('duplicate key value violates unique constraint'), { detail: `Key (token)=(${token})` }),
      new Error(`mysql://app:${password}@db/app?ssl-key=${token}`),
      `plain text with password=${password} and api_key: ${token}`,
    ];
    const told = failures.map(failure => JSON.stringify(describeError(failure))).join('\n');
    for (const secret of secrets) expect(told).not.toContain(secret);
  });

  it('does not let a cut expose half a secret', () => {
    for (let padding = MAX_MESSAGE - 60; padding < MAX_MESSAGE + 10; padding++) {
      const { message } = describeError(new Error(`${'x'.repeat(padding)} password=hunter2hunter2hunter2`));
      expect(message).not.toContain('hunter2');
    }
  });

  it.each<[string, (n: number) => string]>([
    ['words', n => 'a'.repeat(n)],
    ['dots', n => 'a.'.repeat(n / 2)],
    ['colons', n => 'token:'.repeat(n / 6)],
    ['quotes', n => 'token:"'.repeat(n / 7)],
    ['backslashes', n => `token:"${'\\'.repeat(n)}`],
    ['slashes', n => 'a://'.repeat(n / 4)],
    ['question marks', n => '?a='.repeat(n / 3)],
    ['dashes', n => '-----BEGIN '.repeat(n / 11)],
    ['digits', n => '1'.repeat(n)],
    ['spaced digits', n => '1 '.repeat(n / 2)],
    ['eyJ', n => 'eyJ'.repeat(n / 3)],
    ['spaces', n => `bearer${' '.repeat(n)}`],
    ['refused values', n => 'malformed array literal: "'.repeat(n / 26)],
    ['refused keys', n => "Duplicate entry 'x' for key 'y'".repeat(n / 31)],
    ['refused keys without an end', n => "Duplicate entry '\n    at ".repeat(n / 24)],
    ['refused rows', n => 'Key (a)=(x\n    at '.repeat(n / 18)],
    ['phrases that lead nowhere', n => 'invalid input syntax for type '.repeat(n / 30)],
  ])('takes time in proportion to the text: %s', (_name, make) => {
    const redacting = (n: number): (() => void) => {
      const text = make(n);
      return () => void redact(text);
    };
    redacting(4000)();
    // Four times the text: 4 when linear, 16 when quadratic.
    expect(growthOf(redacting(16_000), redacting(64_000), 0.5)).toBeLessThan(10);
  });
});
