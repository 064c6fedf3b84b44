import { describeError } from '../../src/engine/describe-error.ts';

/** A secret, and how it usually comes into a text. */
const SHAPES: readonly (readonly [name: string, secret: string, text: string])[] = [
  ['password in a URL', 'hunter2-p@ss', 'https://svc:hunter2-p@ss@api.example.com/v1/orders'],
  ['password in a connection string', 'Tr0ub4dor', 'Server=db;Database=app;User Id=sa;Password=Tr0ub4dor;Encrypt=true'],
  ['parameter', 'q9w8e7r6t5', 'https://api.example.com/v1/orders?page=2&key=q9w8e7r6t5'],
  ['bearer token', 'mF_9.B5f-4.1JqM', 'sent Bearer mF_9.B5f-4.1JqM'],
  ['basic credentials', 'QWxhZGRpbjpvcGVu', 'Authorization: Basic QWxhZGRpbjpvcGVu'],
  ['cookie', '31d4d96e407aad42', 'Set-Cookie: theme=dark; sid=31d4d96e407aad42; HttpOnly'],
  ['header of an API', 'a1b2c3 d4e5f6', "{ 'X-Api-Key': 'a1b2c3 d4e5f6' }"],
  ['JSON', 'say \\"friend\\"', '{"user":"jane","password":"say \\"friend\\"","retries":3}'],
  ['JSON in JSON', 'opensesame', '{"body":"{\\"client_secret\\":\\"opensesame\\",\\"id\\":5}"}'],
  ['web token', 'dozjgNryP4J3jVmNHl0w', 'eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UifQ.dozjgNryP4J3jVmNHl0w'],
  ['AWS key', 'AKIAIOSFODNN7EXAMPLE', 'the key AKIAIOSFODNN7EXAMPLE is not active'],
  ['GitHub token', 'ghp_16C7e42F292c6912E7710c838347Ae178B4a', 'ghp_16C7e42F292c6912E7710c838347Ae178B4a'],
  ['Stripe key', '4eC39HqLyjWDarjtT1zdp7dc', 'Invalid key: sk_live_4eC39HqLyjWDarjtT1zdp7dc'],
  ['PEM block', 'MIIEvQIBADANBgkqh', '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqh\n-----END PRIVATE KEY-----'],
  ['card number', '4242 4242 4242 4242', 'card 4242 4242 4242 4242 exp 12 30 was declined'],
  ['flag', 'swordfish', 'mysqldump --password swordfish --host db'],
];

/** What clients throw, with a text from a request or a response in the places where they put such texts. */
const FAILURES: readonly (readonly [name: string, make: (text: string) => unknown])[] = [
  ['fetch, invalid URL', text => new TypeError(`Failed to parse URL from ${text}`, { cause: invalidUrl(text) })],
  ['new URL', text => invalidUrl(text)],
  ['fetch, refused', text => new TypeError('fetch failed', { cause: new Error(`connect ECONNREFUSED (${text})`) })],
  [
    'axios, 503',
    text =>
      Object.assign(new Error('Request failed with status code 503'), {
        name: 'AxiosError',
        config: { url: text, headers: { Authorization: text }, data: text },
        response: { status: 503, data: text, headers: { 'set-cookie': [text] } },
      }),
  ],
  ['got, 503', text => Object.assign(new Error(`Response code 503: GET ${text}`), { options: { headers: text } })],
  [
    'pg, unique violation',
    text => Object.assign(new Error(`invalid input: "${text}`), { code: '23505', detail: `Key (a)=(${text})` }),
  ],
  ['child process', text => Object.assign(new Error(`Command failed: ${text}`), { code: 1, cmd: text, stderr: text })],
  ['a string', text => `upstream said ${text}`],
  ['several', text => new AggregateError([new Error(text), new Error('b')], 'All promises were rejected')],
  ['a wrapper', text => new Error('could not save', { cause: new Error('no', { cause: text }) })],
  ['a name and a code', text => Object.assign(new Error('x'), { name: text, code: text })],
];

function invalidUrl(text: string): Error {
  return Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input: text });
}

describe.each(FAILURES)('a description of %s', (_name, make) => {
  it.each(SHAPES)('does not tell the %s', (_shape, secret, text) => {
    const description = describeError(make(text));
    for (const told of Object.values(description)) {
      expect(told).not.toContain(secret);
      // Nor a good part of it.
      expect(told).not.toContain(secret.slice(-6));
    }
  });

  it.each(SHAPES)('does not tell half of a %s that a cut goes through', (_shape, secret, text) => {
    for (const length of [1024, 2048, 4096, 8192]) {
      for (let at = length - text.length - 30; at < length; at += 7) {
        const description = describeError(make(`${'lorem ipsum '.repeat(800).slice(0, at - 1)} ${text} ${text}`));
        for (const told of Object.values(description)) expect(told).not.toContain(secret.slice(0, 10));
      }
    }
  });
});
