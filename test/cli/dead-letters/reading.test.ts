import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aes256Gcm, DeadLetterQueue, defineOperation, OperationRegistry } from 'retryscope/dead-letters';
import { SqliteDeadLetterStore } from 'retryscope/dead-letters/sqlite';
import { type ListOptions, list } from '../../../cli/dead-letters/list.ts';
import { type ShowOptions, show } from '../../../cli/dead-letters/show.ts';
import { stats } from '../../../cli/dead-letters/stats.ts';
import { letterWith } from '../../dead-letters/support/letters.ts';
import { captured } from './support/captured.ts';
import { fillStore } from './support/filled-store.ts';

const MINUTE = 60_000;
const HOSTILE = 'a\u001b[2Jb\u202ec\nd';

let folder: string;
let file: string;
const { FORCE_COLOR, NO_COLOR } = process.env;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dead-letters-cli-'));
  file = join(folder, 'letters.db');
  // jest sets it for its workers when it runs on a terminal itself.
  delete process.env.FORCE_COLOR;
  delete process.env.NO_COLOR;
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  if (FORCE_COLOR !== undefined) process.env.FORCE_COLOR = FORCE_COLOR;
  if (NO_COLOR !== undefined) process.env.NO_COLOR = NO_COLOR;
});

const listed = async (store: string, options: Partial<ListOptions> = {}): Promise<string> =>
  (await captured(() => list({ store, limit: 50, ...options }))).out;
const shown = async (store: string, id: string, options: Partial<ShowOptions> = {}) =>
  captured(() => show(id, { store, ...options }));
const idsIn = (json: string): string[] =>
  (JSON.parse(json) as { letters: { id: string }[] }).letters.map(({ id }) => id);

describe('the list', () => {
  it('is a table of a hundred columns, oldest first, without payloads and without colours where there is no terminal', async () => {
    const now = Date.now();
    const letters = [
      letterWith({ diedAt: now - 90 * MINUTE, attempts: 1 }),
      letterWith({
        diedAt: now - 5 * MINUTE,
        queue: 'mails',
        operation: 'send_mail',
        error: { type: 'ETIMEDOUT', message: `${'x'.repeat(300)} ${HOSTILE}` },
        redrives: 2,
        state: { is: 'quarantined', at: now, why: 'too often' },
      }),
    ];
    const text = await listed(await fillStore(file, letters.toReversed()));
    const lines = text.trimEnd().split('\n');
    expect(lines[0]).toBe(`From sqlite:${file}`);
    expect(lines.slice(1, -1).map(line => line.length)).toEqual(lines.slice(1, -1).map(() => 100));
    expect(lines.at(-1)).toBe('2 letters.');
    expect(text).toMatch(
      /│ ECONNREFUSED attempts_exhausted +│ 90 min +│ dead +│\n│ payments · charge_card +│ connect ECONNREFUSED +│ +│ 1 attempt +│/,
    );
    expect(text).toMatch(
      /│ ETIMEDOUT attempts_exhausted +│ 5 min +│ quarantined +│\n│ mails · send_mail +│ x+… │ +│ 2 redrives +│/,
    );
    expect(text.indexOf(letters[0]?.id ?? '')).toBeLessThan(text.indexOf(letters[1]?.id ?? ''));
    expect(text).not.toContain('order');
    expect(text).not.toContain('\u001b');
  });

  it('has colours where somebody asks for them, unless somebody forbids them', async () => {
    const store = await fillStore(file, [letterWith({ diedAt: Date.now() })]);
    process.env.FORCE_COLOR = '1';
    expect(await listed(store)).toContain('\u001b[31mECONNREFUSED\u001b[39m');
    process.env.NO_COLOR = '1';
    expect(await listed(store)).not.toContain('\u001b');
  });

  it('cannot be made to steer a terminal by what it reads, nor can its JSON', async () => {
    const letter = letterWith({
      diedAt: Date.now(),
      queue: HOSTILE,
      operation: HOSTILE,
      error: { type: HOSTILE, message: HOSTILE, stack: HOSTILE },
      idempotencyKey: HOSTILE,
      source: { topic: HOSTILE },
      payload: { kind: 'plain', json: JSON.stringify([HOSTILE]), version: 1, bytes: 20, altered: [] },
    });
    const store = await fillStore(file, [letter]);
    const json = await listed(store, { json: true });
    const texts = [
      await listed(store),
      json,
      (await shown(store, letter.id, { payload: true })).out,
      (await shown(store, letter.id, { payload: true, json: true })).out,
      (await captured(() => stats({ store }))).out,
    ];
    for (const text of texts) expect(text).not.toMatch(/\u202e|(?!\n)\p{Cc}/u);
    expect(JSON.parse(json)).toMatchObject({ letters: [{ queue: HOSTILE, operation: HOSTILE }] });
  });

  it('has what fits every option', async () => {
    const now = Date.now();
    const [old, other, failed, fresh] = [
      letterWith({ diedAt: now - 26 * 60 * MINUTE }),
      letterWith({ diedAt: now - 3 * 60 * MINUTE, queue: 'mails', operation: 'send_mail' }),
      letterWith({ diedAt: now - 30 * MINUTE, reason: 'circuit_open', error: { type: 'ETIMEDOUT', message: 'late' } }),
      letterWith({ diedAt: now - 1000, state: { is: 'quarantined', at: now, why: 'too often' } }),
    ] as const;
    const store = await fillStore(file, [old, other, failed, fresh]);
    const found = async (options: Partial<ListOptions>) => idsIn(await listed(store, { ...options, json: true }));
    expect(await found({})).toEqual([old.id, other.id, failed.id, fresh.id]);
    expect(await found({ queue: 'mails' })).toEqual([other.id]);
    expect(await found({ operation: ['send_mail', 'nothing'] })).toEqual([other.id]);
    expect(await found({ errorType: 'ETIMEDOUT' })).toEqual([failed.id]);
    expect(await found({ reason: 'circuit_open' })).toEqual([failed.id]);
    expect(await found({ state: ['quarantined'] })).toEqual([fresh.id]);
    expect(await found({ olderThan: 24 * 60 * MINUTE })).toEqual([old.id]);
    expect(await found({ newerThan: 60 * MINUTE })).toEqual([failed.id, fresh.id]);
    expect(await found({ olderThan: 60 * MINUTE, newerThan: 24 * 60 * MINUTE })).toEqual([other.id]);
    expect(await found({ ids: [failed.id, old.id] })).toEqual([old.id, failed.id]);
    expect(await listed(store, { queue: 'none' })).toBe(`From sqlite:${file}\nThere is no such letter.\n`);
  });

  it('goes on where the page before has ended', async () => {
    const letters = Array.from({ length: 205 }, (_, i) => letterWith({ diedAt: Date.now() - 100_000 + i }));
    const store = await fillStore(file, letters);
    const first = JSON.parse(await listed(store, { limit: 150, json: true })) as { next: string; letters: object[] };
    expect(first.letters).toHaveLength(150);
    const rest = await listed(store, { limit: 150, json: true, after: first.next });
    expect(idsIn(rest)).toEqual(letters.slice(150).map(({ id }) => id));
    expect(JSON.parse(rest)).toMatchObject({ next: null });
    expect(await listed(store, { limit: 1 })).toMatch(/\n1 letter\.\nThere are more: --after \d+_[\da-f-]{36}\n$/);
    await expect(listed(store, { after: 'nowhere' })).rejects.toThrow(/after/);
  });

  it('as JSON is one document, with the facts of payloads and nothing of what is in them', async () => {
    const letter = letterWith({ diedAt: Date.now() });
    const text = await listed(await fillStore(file, [letter]), { json: true });
    const { payload, ...rest } = letter;
    expect(JSON.parse(text)).toEqual({
      store: `sqlite:${file}`,
      letters: [{ ...rest, payload: { kind: 'plain', version: 1, bytes: 13, altered: [] } }],
      next: null,
    });
    expect(payload.kind).toBe('plain');
  });
});

describe('a letter', () => {
  it('is shown with all that is known of it, and its payload only when that is asked for', async () => {
    const letter = letterWith({
      diedAt: Date.UTC(2026, 10, 24, 8, 30),
      payload: { kind: 'plain', json: '[{"card":"4111"}]', version: 3, bytes: 2048, altered: ['redacted'] },
      trace: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) },
      source: { topic: 'orders', partition: 3, offset: '12345678901234567890' },
      error: { type: 'TypeError', message: 'no', code: 'ENO', stack: 'TypeError: no\n    at charge' },
    });
    const store = await fillStore(file, [letter]);
    const { value, out } = await shown(store, letter.id);
    expect(value).toBe('found');
    const facts = [
      /│ Letter +│ [\da-f-]{36} +│/,
      /│ Died +│ 2026-11-24 08:30:00\.000 UTC, \d+ \w+ ago +│/,
      /│ Code +│ ENO +│/,
      /│ Stop reason +│ attempts_exhausted, after 3 attempts +│/,
      /│ Payload +│ plain, 2\.0 KiB, version 3, altered: redacted +│/,
      /│ Trace +│ a{32}, span b{16} +│/,
      /│ Source +│ orders partition 3 offset 12345678901234567890 +│/,
      /│ call +│ +0 ms │ +3 ms │ ECONNREFUSED +│/,
      /\nTypeError: no\n {4}at charge\n/,
    ];
    for (const fact of facts) expect(out).toMatch(fact);
    expect(out).not.toContain('4111');
    expect((await shown(store, letter.id, { json: true })).out).not.toContain('4111');
    const open = await shown(store, letter.id, { payload: true });
    expect(open.out).toContain('\nPayload\n[\n  {\n    "card": "4111"\n  }\n]\n');
    expect(JSON.parse((await shown(store, letter.id, { payload: true, json: true })).out)).toMatchObject({
      payload: { kind: 'plain', args: [{ card: '4111' }] },
    });
  });

  it('that is not there is missed', async () => {
    const { value, out, err } = await shown(await fillStore(file, []), 'no\u001b[2J');
    expect({ value, out, err }).toEqual({
      value: 'not_found',
      out: '',
      err: `retryscope: there is no letter no\\u{1b}[2J in sqlite:${file}\n`,
    });
  });

  it('that is sealed is opened by its key, which comes from the environment or from a file', async () => {
    const key = Buffer.alloc(32, 7);
    const cipher = aes256Gcm({ keyId: 'of 2026', keys: { 'of 2026': key } });
    const store = new SqliteDeadLetterStore({ file, ballastBytes: 0 });
    const queue = new DeadLetterQueue({ name: 'payments', store, cipher });
    const options = { maxAttempts: 1, deadLetter: queue, registry: new OperationRegistry() };
    const charge = defineOperation('charge_card', (_: string) => Promise.reject(new Error('no')), options);
    await charge('hunter2').catch(() => undefined);
    const { letters } = await store.list();
    await store.close();
    const id = letters[0]?.id ?? '';
    const with_ = async (keys: Partial<ShowOptions>) =>
      (await shown(`sqlite:${file}`, id, { payload: true, ...keys })).out;
    process.env.DL_KEY = key.toString('hex');
    process.env.DL_OTHER = Buffer.alloc(32, 8).toString('base64');
    try {
      expect(await with_({})).toContain('It is sealed: name its key with --key-env or --key-file.');
      expect(await with_({ keyEnv: ['DL_OTHER'] })).toContain('It is sealed, and none of the keys opens it.');
      expect(await with_({ keyEnv: ['DL_OTHER', 'DL_KEY'] })).toContain('"hunter2"');
      expect(await with_({ keyEnv: ['DL_KEY'] })).toContain('sealed with the key of 2026');
    } finally {
      delete process.env.DL_KEY;
      delete process.env.DL_OTHER;
    }
  });
});

describe('the figures of a store', () => {
  it('have a row for each queue', async () => {
    const now = Date.now();
    const store = await fillStore(file, [
      letterWith({ diedAt: now - 3 * 86_400_000 }),
      letterWith({ diedAt: now }),
      letterWith({ diedAt: now, queue: 'mails', state: { is: 'quarantined', at: now, why: 'too often' } }),
    ]);
    const { out } = await captured(() => stats({ store }));
    const lines = out.trimEnd().split('\n');
    expect(lines.slice(1, -1).map(line => line.length)).toEqual(lines.slice(1, -1).map(() => 100));
    expect(out).toMatch(/│ mails +│ +0 │ +0 │ +1 │ +0 │ +– │ +\d+ B │/);
    expect(out).toMatch(/│ payments +│ +2 │ +0 │ +0 │ +0 │ +3 d │ +1\.\d KiB │/);
    expect(lines.at(-1)).toMatch(/^3 letters, \d\.\d KiB\.$/);
    const { out: json } = await captured(() => stats({ store, json: true }));
    expect(JSON.parse(json)).toMatchObject({
      store,
      letters: 3,
      queues: [
        { queue: 'mails', dead: 0, claimed: 0, redriven: 0, quarantined: 1, oldestDiedAt: null, oldestAgeMs: null },
        { queue: 'payments', dead: 2, oldestDiedAt: now - 3 * 86_400_000, oldestAgeMs: expect.any(Number) },
      ],
    });
  });

  it('are none where there is nothing', async () => {
    const store = await fillStore(file, []);
    expect((await captured(() => stats({ store }))).out).toBe(`From ${store}\nThere are no letters.\n`);
  });
});
