import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { SqliteDeadLetterStore } from 'retryscope/dead-letters/sqlite';
import { ask } from '../../../cli/dead-letters/ask.ts';
import { type PurgeOptions, purge } from '../../../cli/dead-letters/purge.ts';
import { UsageError } from '../../../cli/usage-error.ts';
import { letterWith } from '../../dead-letters/support/letters.ts';
import { captured } from './support/captured.ts';
import { fillStore } from './support/filled-store.ts';

let folder: string;
let store: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dead-letters-purge-'));
  const now = Date.now();
  store = await fillStore(join(folder, 'letters.db'), [
    letterWith({ diedAt: now - 86_400_000 }),
    letterWith({ diedAt: now - 1000 }),
    letterWith({ diedAt: now - 1000, queue: 'mails' }),
  ]);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const purged = (options: Partial<PurgeOptions>) => captured(() => purge({ store, ...options }));
const left = async (): Promise<number> => {
  await using opened = new SqliteDeadLetterStore({ file: join(folder, 'letters.db'), ballastBytes: 0 });
  return (await opened.stats()).letters;
};

describe('a purge', () => {
  it('deletes what fits', async () => {
    const { value, out, err } = await purged({ queue: 'payments', olderThan: 3_600_000, yes: true });
    expect({ value, out, err }).toEqual({ value: 'done', out: `From ${store}\n1 letter was deleted.\n`, err: '' });
    expect(await left()).toBe(2);
  });

  it('deletes everything when it is told so', async () => {
    expect((await purged({ all: true, yes: true, json: true })).out).toBe(
      `${JSON.stringify({ store, dryRun: false, letters: 3 }, undefined, 2)}\n`,
    );
    expect(await left()).toBe(0);
  });

  it('only counts in a dry run, and leaves out what somebody works on', async () => {
    {
      await using opened = new SqliteDeadLetterStore({ file: join(folder, 'letters.db'), ballastBytes: 0 });
      await opened.claim(1, { queue: 'mails' }, 'somebody', 60_000);
    }
    expect((await purged({ all: true, dryRun: true })).out).toBe(`From ${store}\n2 letters would be deleted.\n`);
    expect((await purged({ state: ['claimed'], dryRun: true })).out).toContain('0 letters would be deleted.');
    expect(await left()).toBe(3);
    expect((await purged({ all: true, yes: true })).out).toContain('2 letters were deleted.');
  });

  it.each<[string, Partial<PurgeOptions>, RegExp]>([
    ['no word on which letters', { yes: true }, /^say which letters with a filter, or --all/],
    ['both a filter and --all', { yes: true, all: true, queue: 'mails' }, /exclude each other/],
    ['nobody to ask', { queue: 'mails' }, /^there is no terminal to ask on; --yes deletes/],
  ])('is refused with %s', async (_what, options, message) => {
    const error: unknown = await purged(options).catch(fault => fault);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toMatch(message);
    expect(await left()).toBe(3);
  });
});

describe('the question before it', () => {
  const answered = async (give: (input: PassThrough) => void): Promise<string> => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const answer = ask('Delete? ', input, output);
    give(input);
    expect(String(output.read())).toContain('Delete? ');
    return answer;
  };

  it.each([
    ['y', 'yes'],
    ['YES', 'yes'],
    ['n', 'no'],
    ['', 'no'],
    ['yellow', 'no'],
  ])('is answered by %p with %s', async (line, answer) => {
    expect(await answered(input => void input.write(`${line}\n`))).toBe(answer);
  });

  it('is answered with no by the end of the input', async () => {
    expect(await answered(input => void input.end())).toBe('no');
  });
});
