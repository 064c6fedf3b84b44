import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  aes256Gcm,
  type DeadLetter,
  DeadLetterQueue,
  defineOperation,
  OperationRegistry,
  operations,
} from 'retryscope/dead-letters';
import { SqliteDeadLetterStore } from 'retryscope/dead-letters/sqlite';
import { type RedriveCommandOptions, redrive } from '../../../cli/dead-letters/redrive.ts';
import { UnavailableError } from '../../../cli/unavailable-error.ts';
import { UsageError } from '../../../cli/usage-error.ts';
import { letterWith } from '../../dead-letters/support/letters.ts';
import { captured } from './support/captured.ts';
import { fillStore } from './support/filled-store.ts';

let folder: string;
let file: string;
let sent: unknown[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dead-letters-redrive-'));
  file = join(folder, 'letters.db');
  writeFileSync(join(folder, 'operations.js'), '');
  sent = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const name of operations.names()) operations.delete(name);
});

/** Stands for the user's module: what it defines when it is loaded. */
const charges = async (): Promise<void> => {
  defineOperation('charge_card', (order: unknown) => void sent.push(order), { maxAttempts: 1 });
};
const failing = async (): Promise<void> => {
  defineOperation('charge_card', () => Promise.reject(new Error('down')), { maxAttempts: 1 });
};
const run = (options: Partial<RedriveCommandOptions> = {}, importModule: () => Promise<unknown> = charges) =>
  captured(() => redrive({ ...usual(), ...options }, { importModule }));
const usual = (): RedriveCommandOptions => ({
  store: `sqlite:${file}`,
  handlers: [join(folder, 'operations.js')],
  concurrency: 1,
  stopAtFailureRate: 0.5,
  quarantineAfter: 5,
});
const refusal = async (...args: Parameters<typeof run>): Promise<string> => {
  const error: unknown = await run(...args).catch(fault => fault);
  if (error instanceof UsageError) return error.message;
  throw error;
};
const lettersWith = (count: number, own: Partial<DeadLetter> = {}) =>
  Array.from({ length: count }, (_, i) => letterWith({ diedAt: Date.now() - 10_000 + i, ...own }));
const states = async (): Promise<Record<string, number>> => {
  await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0 });
  const { queues } = await store.stats();
  const sum = (state: 'dead' | 'claimed' | 'redriven' | 'quarantined') =>
    queues.reduce((total, row) => total + row[state], 0);
  return { dead: sum('dead'), claimed: sum('claimed'), redriven: sum('redriven'), quarantined: sum('quarantined') };
};

describe('a redrive', () => {
  it('sends the letters of the only queue by the handlers of the module, and says what became of them', async () => {
    await fillStore(file, lettersWith(3));
    const { value, out, err } = await run();
    expect(value).toBe(0);
    expect(sent).toHaveLength(3);
    expect(out).toMatch(/^From sqlite:.*\nQueue payments\n/);
    expect(out).toMatch(/│ charge_card +│ +3 │ +0 │ +0 │ +0 │ +0 │\n/);
    expect(out).toMatch(/\n✓ 3 letters were redriven\.\n$/);
    const table = out.split('\n').filter(line => /^[┌│├└]/.test(line));
    expect(table.map(line => line.length)).toEqual(table.map(() => 100));
    expect(err).toBe('');
    expect(await states()).toEqual({ dead: 0, claimed: 0, redriven: 3, quarantined: 0 });
  });

  it('sends what fits, as many as it is told', async () => {
    const letters = lettersWith(4);
    await fillStore(file, [...letters, letterWith({ diedAt: Date.now(), error: { type: 'ETIMEDOUT', message: '' } })]);
    expect(await run({ limit: 2 })).toMatchObject({
      value: 0,
      out: expect.stringContaining('and the limit is reached'),
    });
    expect(await states()).toMatchObject({ redriven: 2 });
    for (const name of operations.names()) operations.delete(name);
    expect((await run({ errorType: 'ETIMEDOUT' })).value).toBe(0);
    for (const name of operations.names()) operations.delete(name);
    expect((await run({ ids: [letters[3]?.id ?? ''] })).value).toBe(0);
    expect(await states()).toMatchObject({ dead: 1, redriven: 4 });
  });

  it('only tells what it would do in a dry run', async () => {
    await fillStore(file, [
      ...lettersWith(2),
      ...lettersWith(1, { operation: 'send_mail' }),
      ...lettersWith(3, { state: { is: 'quarantined', at: 1, why: 'too often' } }),
    ]);
    const { value, out } = await run({ dryRun: true, includeQuarantined: true });
    expect(value).toBe(1);
    expect(out).toMatch(/│ charge_card +│ +2 │ +0 │ +0 │\n/);
    expect(out).toMatch(/│ send_mail +│ +0 │ +1 │ +0 │\n/);
    expect(out).toContain('3 quarantined letters to be made dead again first.');
    expect(out).toContain('! 1 letter stayed: no handler, or an older one, for send_mail.');
    expect(sent).toEqual([]);
    expect(await states()).toEqual({ dead: 3, claimed: 0, redriven: 0, quarantined: 3 });
  });

  it('takes quarantined letters as well when it is told so, within the limit and the filter', async () => {
    const aside = { state: { is: 'quarantined', at: 1, why: 'too often' } } as const;
    await fillStore(file, [...lettersWith(3, aside), ...lettersWith(1, { ...aside, operation: 'send_mail' })]);
    expect((await run({ includeQuarantined: true, limit: 2 })).value).toBe(0);
    expect(await states()).toEqual({ dead: 0, claimed: 0, redriven: 2, quarantined: 2 });
  });

  it('ends by itself when too many fail, and names them', async () => {
    await fillStore(file, lettersWith(30));
    const { value, out } = await run({ json: true }, failing);
    expect(value).toBe(1);
    const report = JSON.parse(out) as { troubled: object[] };
    expect(report).toMatchObject({
      store: `sqlite:${file}`,
      queue: 'payments',
      dryRun: false,
      stopped: 'failure_rate',
      notHere: 0,
      operations: [{ operation: 'charge_card', failed: 5, redriven: 0 }],
    });
    expect(report).toMatchObject({ fault: null });
    expect(report.troubled).toHaveLength(5);
    for (const each of report.troubled) {
      expect(each).toEqual({
        id: expect.stringMatching(/^[\da-f-]{36}$/),
        operation: 'charge_card',
        result: 'failed',
        error: { type: 'Error', message: 'down' },
        why: null,
      });
    }
    expect(await states()).toMatchObject({ dead: 30, claimed: 0 });
  });

  it('goes on when it is told never to end', async () => {
    await fillStore(file, lettersWith(12));
    const { value, out } = await run({ stopAtFailureRate: Infinity, quarantineAfter: 1, concurrency: 4 }, failing);
    expect(value).toBe(1);
    expect(out.match(/│ [\da-f-]{36} │ quarantined │ down +│\n/g)).toHaveLength(10);
    expect(out).toContain('\n… and 2 more, which dead-letters list shows.\n');
    expect(await states()).toMatchObject({ dead: 0, quarantined: 12 });
  });

  it('names letters that were not redriven with the reason, in which nothing is secret or steers a terminal', async () => {
    const altered = { kind: 'plain', json: '[1]', version: 1, bytes: 3, altered: ['redacted'] } as const;
    const [failed, aside] = [...lettersWith(1), ...lettersWith(1, { payload: altered })];
    await fillStore(file, [failed as DeadLetter, aside as DeadLetter]);
    const error = Object.assign(new Error(`https://me:hunter2@bank.example\u001b[2J says no${' at all'.repeat(20)}`), {
      code: 'EBANK',
    });
    const refusing = async (): Promise<void> => {
      defineOperation('charge_card', () => Promise.reject(error), { maxAttempts: 1 });
    };
    const { out } = await run({}, refusing);
    expect(out).toContain(`│ ${failed?.id} │ failed      │ EBANK: https://[redacted]@bank.example\\u{1… │\n`);
    expect(out).toContain(`│ ${aside?.id} │ quarantined │ the payload was altered: redacted           │\n`);
    const table = out.split('\n').filter(line => /^[┌│├└]/.test(line));
    expect(table.map(line => line.length)).toEqual(table.map(() => 100));
    for (const name of operations.names()) operations.delete(name);
    const { out: json } = await run({ json: true, quarantineAfter: 1, includeQuarantined: true }, refusing);
    expect((JSON.parse(json) as { troubled: unknown }).troubled).toEqual([
      {
        id: failed?.id,
        operation: 'charge_card',
        result: 'quarantined',
        error: { type: 'EBANK', message: expect.stringContaining('says no at all') },
        why: 'redrive 2 of 1 failed',
      },
      {
        id: aside?.id,
        operation: 'charge_card',
        result: 'quarantined',
        error: null,
        why: 'the payload was altered: redacted',
      },
    ]);
    for (const secret of ['hunter2', '\u001b']) expect(out + json).not.toContain(secret);
  });

  it.each(['a table', 'JSON'])('whose store breaks in the middle tells what it did until then, as %s', async how => {
    const letters = lettersWith(5);
    await fillStore(file, letters);
    const breaking = async (): Promise<void> => {
      const charge = (order: unknown): void => {
        sent.push(order);
        if (sent.length < 3) return;
        const db = new DatabaseSync(file);
        db.exec('ALTER TABLE letters RENAME TO letters_of_old');
        db.close();
      };
      defineOperation('charge_card', charge, { maxAttempts: 1 });
    };
    let error: unknown;
    const { out } = await captured(() =>
      redrive({ ...usual(), json: how === 'JSON' }, { importModule: breaking }).catch((fault: unknown) => {
        error = fault;
      }),
    );
    expect(error).toBeInstanceOf(UnavailableError);
    const fault = (error as Error).message;
    expect(fault).toMatch(/^sqlite:.* cannot be used: .*letters/);
    expect(sent).toHaveLength(3);
    if (how === 'JSON') {
      expect(JSON.parse(out)).toMatchObject({
        stopped: 'fault',
        fault,
        results: { redriven: 2, failed: 0, quarantined: 0, released: 0, lost: 1 },
        operations: [{ operation: 'charge_card', redriven: 2, lost: 1 }],
        troubled: [
          { id: letters[2]?.id, result: 'lost', error: null, why: 'it was sent, but that could not be noted' },
        ],
      });
    } else {
      expect(out).toMatch(/│ charge_card +│ +2 │ +0 │ +0 │ +0 │ +1 │\n/);
      expect(out).toContain(`│ ${letters[2]?.id} │ lost        │ it was sent, but that could not be noted    │\n`);
      expect(out).toMatch(/\n✗ The store failed\. 2 letters were redriven until then; .*\n$/);
    }
  });

  it('opens sealed letters by their key, and gives those back that it cannot open', async () => {
    const store = new SqliteDeadLetterStore({ file, ballastBytes: 0 });
    const key = Buffer.alloc(32, 7);
    const cipher = aes256Gcm({ keyId: 'k', keys: { k: key } });
    const queue = new DeadLetterQueue({ name: 'payments', store, cipher });
    const terms = { maxAttempts: 1, deadLetter: queue, registry: new OperationRegistry() };
    await defineOperation('charge_card', (_: string) => Promise.reject(new Error('no')), terms)('o-17').catch(() => 0);
    await store.close();
    const { value, out } = await run();
    expect(value).toBe(1);
    expect(out).toContain('1 letter given back untried: sealed with a key that was not named');
    for (const name of operations.names()) operations.delete(name);
    const path = join(folder, 'key');
    writeFileSync(path, `${key.toString('base64')}\n`);
    expect((await run({ keyFile: [path] })).value).toBe(0);
    expect(sent).toEqual(['o-17']);
  });

  it('has nothing to do where there is nothing', async () => {
    await fillStore(file, []);
    const { value, out, err } = await run();
    expect({ value, out, err }).toEqual({ value: 0, out: `From sqlite:${file}\nThere are no letters.\n`, err: '' });
    for (const name of operations.names()) operations.delete(name);
    expect(JSON.parse((await run({ json: true })).out)).toMatchObject({ queue: null, stopped: 'done', operations: [] });
  });

  it('asks which queue is meant where there are several, unless the ids say it', async () => {
    const [mail] = lettersWith(1, { queue: 'mails' });
    await fillStore(file, [...lettersWith(1), mail as DeadLetter]);
    expect(await refusal()).toBe('there are letters of several queues; name one with --queue: mails, payments');
    for (const name of operations.names()) operations.delete(name);
    expect((await run({ ids: [mail?.id ?? ''] })).value).toBe(0);
    for (const name of operations.names()) operations.delete(name);
    expect((await run({ queue: 'payments' })).value).toBe(0);
  });

  it.each<[string, Partial<RedriveCommandOptions>, () => Promise<unknown>, RegExp]>([
    [
      'a module that is not there',
      { handlers: ['./no.js'] },
      charges,
      /^--handlers \.\/no\.js: there is no such file$/,
    ],
    ['a module that defines nothing', {}, async () => undefined, /^--handlers: no operation is defined by /],
    [
      'a module that cannot be loaded',
      {},
      () => Promise.reject(new Error('postgres://me:hunter2@db is down')),
      /operations\.js cannot be loaded: postgres:\/\/.*db is down$/,
    ],
    [
      'a key that is not there',
      { keyEnv: ['DL_NONE'] },
      charges,
      /^--key-env: there is no environment variable DL_NONE$/,
    ],
  ])('is refused with %s, in one sentence', async (_what, options, importModule, message) => {
    await fillStore(file, lettersWith(1));
    const text = await refusal(options, importModule);
    expect(text).toMatch(message);
    expect(text).not.toContain('hunter2');
  });
});
