import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { createRedactor, setRedactor } from '../../src/engine/redact.ts';
import { aes256Gcm, type Json, openPayload, redactPayload } from '../../src/recovery/dead-letters/index.ts';
import { boundTo, type PayloadTerms, packPayload } from '../../src/recovery/dead-letters/pack-payload.ts';
import { MAX_DEPTH } from '../../src/recovery/dead-letters/plain-json.ts';
import { letterWith } from './support/letters.ts';

const KIB = 1024;
const terms = (own: Partial<PayloadTerms> = {}): PayloadTerms => ({
  maxBytes: 256 * KIB,
  redact: redactPayload,
  cipher: undefined,
  ...own,
});
const pack = (args: readonly unknown[], own: Partial<PayloadTerms> = {}) => packPayload(args, 1, 'bound', terms(own));
const textOf = async (args: readonly unknown[], own: Partial<PayloadTerms> = {}): Promise<string> => {
  const payload = await pack(args, own);
  return payload.kind === 'plain' ? payload.json : payload.kind === 'omitted' ? payload.why : 'sealed';
};

describe('plain data', () => {
  it('is kept as JSON.stringify writes it, and not altered', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue({ maxDepth: 5 }), { maxLength: 5 }), async values => {
        const args = JSON.parse(JSON.stringify(values).replaceAll('"__proto__"', '"proto"')) as Json[];
        const payload = await pack(args, { redact: undefined });
        expect(payload).toMatchObject({ kind: 'plain', altered: [], json: JSON.stringify(args) });
      }),
    ));

  it('loses arguments that are undefined at the end, and members that are, without being altered', async () => {
    expect(await pack([1, undefined, undefined])).toMatchObject({ json: '[1]', altered: [] });
    expect(await pack([{ a: 1, b: undefined }])).toMatchObject({ json: '[{"a":1}]', altered: [] });
    expect(await pack([])).toMatchObject({ json: '[]', altered: [] });
  });
});

class Order {
  readonly id = 1;
  readonly #hidden = 2;
  total(): number {
    return this.#hidden;
  }
}

describe('what JSON does not have', () => {
  const circular: unknown[] = [];
  circular.push(circular);
  const deep = Array.from({ length: 5000 }).reduce<unknown>(inner => [inner], 1);
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  it.each<[string, unknown, string, string]>([
    ['a circle', circular, '[["[circular]"]]', 'circular'],
    ['a BigInt', 12n, '["12"]', 'type'],
    ['a BigInt of a million digits', 1n << 4_000_000n, '["[bigint]"]', 'type'],
    [
      'a getter that throws',
      Object.defineProperty({ a: 1 }, 'b', {
        enumerable: true,
        get: () => {
          throw new Error('no');
        },
      }),
      '[{"a":1,"b":"[unreadable]"}]',
      'unreadable',
    ],
    ['a revoked proxy', revoked, '["[unreadable]"]', 'unreadable'],
    [
      'a toJSON that throws',
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
      '["[unreadable]"]',
      'unreadable',
    ],
    [
      'a toJSON that gives itself',
      Object.assign(Object.create(null), {
        toJSON(this: object) {
          return this;
        },
      }),
      '[{}]',
      'type',
    ],
    ['a Date', new Date(0), '["1970-01-01T00:00:00.000Z"]', 'type'],
    ['an invalid Date', new Date(Number.NaN), '[null]', 'type'],
    ['a Map', new Map([[1, 2]]), '[{}]', 'type'],
    ['an instance of a class', new Order(), '[{"id":1}]', 'type'],
    ['NaN', Number.NaN, '[null]', 'type'],
    ['a function', { f: () => 1 }, '[{}]', 'type'],
    ['a symbol', [Symbol('s')], '[[null]]', 'type'],
    ['a hole', [undefined, 1], '[[null,1]]', 'type'],
    ['bytes', Buffer.from('hello'), '["aGVsbG8="]', 'type'],
    ['half of a surrogate pair', '\ud800x', '["\ufffdx"]', 'type'],
    ['a key __proto__', JSON.parse('{"__proto__": {"isAdmin": true}, "a": 1}'), '[{"a":1}]', 'type'],
    [
      'keys constructor and prototype',
      JSON.parse('{"constructor": {"prototype": 1}}'),
      '[{"constructor":{"prototype":1}}]',
      '',
    ],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), '[{"a":1}]', ''],
  ])('%s', async (_, value, json, alteration) => {
    expect(await pack([value])).toMatchObject({ kind: 'plain', json, altered: alteration === '' ? [] : [alteration] });
  });

  it('such as five thousand levels is cut', async () => {
    const payload = await pack([deep]);
    expect(payload).toMatchObject({ kind: 'plain', altered: ['depth'] });
    expect('json' in payload && payload.json.length).toBeLessThan(3 * MAX_DEPTH + 20);
  });

  it('can be the same object at two places, which is no circle', async () => {
    const shared = { a: 1 };
    expect(await pack([shared, shared])).toMatchObject({ json: '[{"a":1},{"a":1}]', altered: [] });
  });

  it('of any kind never makes it reject, and what comes out can be parsed', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.anything({
            withBigInt: true,
            withDate: true,
            withMap: true,
            withSet: true,
            withTypedArray: true,
            withNullPrototype: true,
            withSparseArray: true,
          }),
          { maxLength: 4 },
        ),
        async args => {
          const payload = await pack(args);
          if (payload.kind === 'plain') expect(Array.isArray(JSON.parse(payload.json))).toBe(true);
        },
      ),
    ));
});

describe('the size', () => {
  it.each<[string, unknown]>([
    ['a text of 5 MB', 'x'.repeat(5_000_000)],
    ['a list of 5 million', Array(5_000_000).fill(1)],
    ['a list of 4 thousand million holes', Array(4_000_000_000)],
    ['5 MB of bytes', Buffer.alloc(5_000_000)],
    ['a shared object that unfolds to 2^40', Array.from({ length: 40 }).reduce<unknown>(inner => [inner, inner], 1)],
    ['a key of 5 MB', { ['k'.repeat(5_000_000)]: 1 }],
  ])('over the limit leaves a marker, at once: %s', async (_, value) => {
    const startedAt = performance.now();
    const payload = await pack([value]);
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(payload).toMatchObject({ kind: 'omitted', why: 'too_large' });
    expect(payload.bytes).toBeGreaterThan(256 * KIB);
  });

  it('is counted in bytes of UTF-8, and may be the limit exactly', async () => {
    const ofSize = (bytes: number): string => 'é'.repeat((bytes - 4) / 2);
    expect(await pack([ofSize(2048)], { maxBytes: 2048 })).toMatchObject({ kind: 'plain', bytes: 2048 });
    expect(await pack([ofSize(2050)], { maxBytes: 2048 })).toMatchObject({ kind: 'omitted', bytes: 2050 });
  });
});

describe('secrets', () => {
  afterEach(() => setRedactor(undefined));

  it.each<[string, unknown, string]>([
    [
      'under the name of one, whatever it is',
      { password: 'a', apiKey: { nested: 1 }, pin: 1234, tokens: 5 },
      '[{"password":"[redacted]","apiKey":"[redacted]","pin":"[redacted]","tokens":5}]',
    ],
    ['in a URL', 'https://user:secret@host/?q=1', '["https://[redacted]@host/?q=[redacted]"]'],
    ['in a header', { headers: { Authorization: 'Bearer abcdefgh' } }, '[{"headers":{"Authorization":"[redacted]"}}]'],
    ['as a card number that is a number', { card: 4111111111111111 }, '[{"card":"[redacted]"}]'],
    ['as a key', { 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x': 1 }, '[{"[redacted]":1}]'],
    ['in JSON inside a text', { body: '{"password":"hunter22"}' }, '[{"body":"{\\"password\\":\\"[redacted]\\"}"}]'],
  ])('are taken out %s', async (_, value, json) => {
    expect(await pack([value])).toMatchObject({ kind: 'plain', json, altered: ['redacted'] });
  });

  const [name, value] = ['password', 'x'];
  const [H, hidden] = ['[redacted]', '"[redacted]"'];
  it.each<[string, unknown, string]>([
    ['name and value', [{ name, value, type: 'text' }], `[{"name":"password","value":${hidden},"type":"text"}]`],
    ['key and value', [{ key: 'DB_PASS', value: 5 }], `[{"key":"DB_PASS","value":${hidden}}]`],
    ['Key and Value', [{ Key: 'ApiKey', Value: { a: value } }], `[{"Key":"ApiKey","Value":${hidden}}]`],
    ['header and values', { header: 'Cookie', values: [value] }, `{"header":"Cookie","values":${hidden}}`],
    [
      'headerName and headerValue',
      { headerValue: value, headerName: 'x-auth' },
      '{"headerValue":H,"headerName":"x-auth"}',
    ],
    ['label and value', { label: 'API key', value }, `{"label":"API key","value":${hidden}}`],
    [
      'field, oldValue and newValue',
      { field: 'pin', oldValue: 1, newValue: 2 },
      '{"field":"pin","oldValue":H,"newValue":H}',
    ],
    ['k and v', { k: 'token', v: value }, `{"k":"token","v":${hidden}}`],
    ['a pair', [[name, value]], `[["password",${hidden}]]`],
    ['a pair of a number', [['pin', 1234]], `[["pin",${hidden}]]`],
    ['a pair of an object', [['credentials', { user: 'Jo' }]], `[["credentials",${hidden}]]`],
    [
      'a raw list of headers',
      ['Host', 'h', 'X-Api-Key', value, 'Accept', '*/*'],
      `["Host","h","X-Api-Key",${hidden},"Accept","*/*"]`,
    ],
    ['fields of a form', [['user[password]', value]], `[["user[password]",${hidden}]]`],
    ['flags of a command', ['psql', '--password', value, 'db'], `["psql","--password",${hidden},"db"]`],
    ['the number of a card', [{ name: 'cardNumber', value: 4111111111111111 }], '[{"name":"cardNumber","value":H}]'],
  ])('are taken out beside their name: %s', async (_, given, json) => {
    expect(await pack([given])).toMatchObject({
      json: `[${json.replaceAll(':H', `:${hidden}`)}]`,
      altered: ['redacted'],
    });
  });

  it('are taken out beside their name among the arguments themselves, but objects are looked into', async () => {
    expect(redactPayload([name, value])).toEqual([name, H]);
    expect(redactPayload(['session', { id: 5, token: 'x' }])).toEqual(['session', { id: 5, token: H }]);
  });

  it.each<[string, Json]>([
    ['names alone', [{ name, required: true }, { key: 'token' }]],
    ['an event of that name', [{ type: 'user.password_changed', data: { user: 7 } }]],
    ['names at odd places of a list', [['id', 'password', 'email']]],
    ['a sentence', [{ name: 'How to reset your password', value: 5 }]],
    ['an address', [['https://h.example/token', 'next']]],
    ['identifiers', [['V1StGXR8_Z5jdHi6Pw-myT', 'b'], [{ id: 'kTPw9fQz', value: 1 }]]],
    ['what is only alike', [['max_tokens', 5], { name: 'author', value: 'Jo' }]],
  ])('are not seen in %s', async (_, args) => {
    expect(await pack(args as Json[])).toMatchObject({ json: JSON.stringify(args), altered: [] });
  });

  it('are no numbers but those that are named like secrets or cards', async () => {
    // Thirteen digits that pass the check of card numbers, as every tenth identifier does.
    const id = 5432109870014;
    const args = [{ id, cardId: id, orders: [id, id] }, id, ['id', id]];
    expect(await pack(args)).toMatchObject({ json: JSON.stringify(args), altered: [] });
    expect(await pack([{ id: BigInt(id) }, [BigInt(id)]])).toMatchObject({
      json: `[{"id":"${id}"},["${id}"]]`,
      altered: ['type'],
    });
    const hides = async (given: unknown): Promise<boolean> => !(await textOf([given])).includes(`${id}`);
    const named = ['card', 'cards', 'cardNumber', 'card_no', 'creditCard', 'ccNumber', 'pan', 'pin', 'apiKey'];
    for (const key of named)
      for (const number of [id, BigInt(id), [id]]) expect(await hides({ [key]: number })).toBe(true);
    expect(await hides({ card: { number: id } })).toBe(true);
    expect(await hides({ card: { number: BigInt(id) } })).toBe(true);
    expect(await hides({ card: { id } })).toBe(false);
    expect(await hides({ id: `${id}` })).toBe(true);
    expect(await textOf([{ card: 5, cards: [1, 2] }])).toBe('[{"card":5,"cards":[1,2]}]');
  });

  it('that only the user knows are taken out by the redactor of the process, also by the names of keys', async () => {
    setRedactor(createRedactor({ secretNames: ['employee'], extraPatterns: [/emp-\d+/] }));
    expect(await textOf([{ employee: 'Jo', note: 'for emp-12' }])).toBe(
      '[{"employee":"[redacted]","note":"for [redacted]"}]',
    );
    expect(
      await textOf([{ name: 'employee', value: 'Jo' }, ['--employee', 'Jo'], { 'emp-12': 1, 'the employee': 2 }]),
    ).toBe(
      '[{"name":"employee","value":"[redacted]"},["--employee","[redacted]"],{"[redacted]":1,"the employee":"[redacted]"}]',
    );
  });

  it('are not seen in a UUID, whose digits may be those of a card', async () => {
    const id = 'a0eebc99-9c0b-4ef8-b4111-111111111111'.replace('b4111', '4111');
    expect(await pack([{ id }])).toMatchObject({ json: JSON.stringify([{ id }]), altered: [] });
  });

  it('stay where that was asked for', async () => {
    expect(await pack([{ password: 'a' }], { redact: undefined })).toMatchObject({
      json: '[{"password":"a"}]',
      altered: [],
    });
  });

  it('go with a hook of the user, which may give back anything', async () => {
    expect(await textOf([{ name: 'Jo', n: 1 }], { redact: () => [{ n: 1n }] })).toBe('[{"n":"1"}]');
    expect(await textOf([1], { redact: () => 'no list' })).toBe('redaction_failed');
    expect(
      await textOf([1], {
        redact: () => {
          throw new Error('no');
        },
      }),
    ).toBe('redaction_failed');
    expect(await textOf([1], { redact: () => ['x'.repeat(300 * KIB)] })).toBe('too_large');
  });

  it('do not get through a redactor that throws', async () => {
    setRedactor(() => {
      throw new Error('no');
    });
    expect(await textOf(['s3cret'])).toBe('["[redaction failed]"]');
  });
});

describe('encryption', () => {
  const key = randomBytes(32);
  const cipher = aes256Gcm({ keyId: 'k1', keys: { k1: key } });
  const sealed = async (args: readonly unknown[], with_ = cipher) => {
    const letter = letterWith();
    const payload = await packPayload(args, 1, boundTo(letter.id, letter.operation, 1), terms({ cipher: with_ }));
    return { ...letter, payload };
  };

  it('gives back what it was given, and shows nothing of it', () =>
    fc.assert(
      fc.asyncProperty(fc.string({ minLength: 8, unit: fc.constantFrom('a', 'ß', '💳', ' ') }), async text => {
        const letter = await sealed([{ text }]);
        expect(JSON.stringify(letter)).not.toContain(text);
        expect(letter.payload).toMatchObject({ kind: 'sealed', keyId: 'k1', algorithm: 'aes-256-gcm' });
        expect(await openPayload(letter, cipher)).toEqual({ args: [{ text }] });
      }),
      { numRuns: 50 },
    ));

  it('uses each nonce once', async () => {
    const nonces = await Promise.all(
      Array.from({ length: 50 }, async () => (await sealed([1])).payload as unknown as { iv: string }),
    );
    expect(new Set(nonces.map(({ iv }) => iv)).size).toBe(50);
  });

  it('notices a change, another letter, another operation, another version and another key', async () => {
    const letter = await sealed([1]);
    const payload = letter.payload as Extract<typeof letter.payload, { kind: 'sealed' }>;
    const wrong = { locked: 'wrong_key' };
    expect(await openPayload({ ...letter, id: 'other' }, cipher)).toEqual(wrong);
    expect(await openPayload({ ...letter, operation: 'other' }, cipher)).toEqual(wrong);
    expect(await openPayload({ ...letter, payload: { ...payload, version: 2 } }, cipher)).toEqual(wrong);
    expect(
      await openPayload({ ...letter, payload: { ...payload, data: Buffer.from('x').toString('base64') } }, cipher),
    ).toEqual(wrong);
    expect(await openPayload({ ...letter, payload: { ...payload, tag: payload.tag.slice(0, 8) } }, cipher)).toEqual(
      wrong,
    );
    expect(await openPayload({ ...letter, payload: { ...payload, algorithm: 'none' } }, cipher)).toEqual(wrong);
    expect(await openPayload(letter, aes256Gcm({ keyId: 'k1', keys: { k1: randomBytes(32) } }))).toEqual(wrong);
    expect(await openPayload(letter, undefined)).toEqual({ locked: 'no_cipher' });
  });

  it('reads letters of older keys as long as they are there', async () => {
    const letter = await sealed(['old']);
    const both = aes256Gcm({ keyId: 'k2', keys: { k1: key, k2: randomBytes(32) } });
    expect(await openPayload(letter, both)).toEqual({ args: ['old'] });
    expect((await sealed([1], both)).payload).toMatchObject({ keyId: 'k2' });
  });

  it('that fails leaves a marker, never the clear text', async () => {
    const broken = { ...cipher, seal: () => Promise.reject(new Error('the key service is down')) };
    expect((await sealed(['clear'], broken)).payload).toMatchObject({ kind: 'omitted', why: 'sealing_failed' });
  });

  it.each([
    [{ keyId: 'k2', keys: { k1: key } }, /keyId is "k2"/],
    [{ keyId: 'k1', keys: { k1: key.subarray(1) } }, /keys\["k1"\] must be 32 bytes/],
    [{ keyId: 'k1', keys: { k1: 'x'.repeat(32) } }, /keys\["k1"\] must be 32 bytes/],
    [{ keyId: 'toString', keys: {} }, /keyId is "toString"/],
    [{ keyId: 'k1', key }, /did you mean "keys"/],
  ])('refuses wrong keys, and shows none', (options, message) => {
    const make = (): unknown => aes256Gcm(options as never);
    expect(make).toThrow(message);
    expect(make).not.toThrow(key.toString('base64'));
  });
});
