import { spawn } from 'node:child_process';
import { once } from 'node:events';
import nodeFs from 'node:fs';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { FakeClock, recordCalls } from 'retryscope/testing';
import { type AtomicWriteOptions, writeFileAtomic, writeFileAtomicSync } from '../../../src/services/files/index.ts';
import { until } from '../../redis/support/until.ts';
import { outcomeOf, type Settled } from '../../support/settle.ts';

// Real files, and processes, on machines that may be busy.
jest.setTimeout(120_000);

const fault = (code: string): Error => Object.assign(new Error(`${code}: '/srv/data'`), { code });
const modeOf = (path: string): number => nodeFs.statSync(path).mode & 0o7777;
const text = (path: string): string => nodeFs.readFileSync(path, 'utf8');

let folder: string;
let path: string;
beforeEach(() => {
  folder = nodeFs.mkdtempSync(join(tmpdir(), 'atomic-test-'));
  path = join(folder, 'state.json');
});
afterEach(() => {
  jest.restoreAllMocks();
  nodeFs.rmSync(folder, { recursive: true, force: true });
});
const names = (): string[] => nodeFs.readdirSync(folder).sort();

/** Lets the fake time run until the call has settled; what it does to files takes real time. */
async function settle<T>(clock: FakeClock, call: Promise<T>): Promise<Settled<T>> {
  let isSettled = false;
  const settled = outcomeOf(call).finally(() => {
    isSettled = true;
  });
  while (!isSettled) {
    await clock.runAll();
    await new Promise(resolve => setImmediate(resolve));
  }
  return settled;
}

const FORMS = [
  ['writeFileAtomic', writeFileAtomic],
  [
    'writeFileAtomicSync',
    async (...args: Parameters<typeof writeFileAtomicSync>): Promise<void> => writeFileAtomicSync(...args),
  ],
] as const;

describe.each(FORMS)('%s', (_, write) => {
  it('makes a file, replaces it, and leaves nothing else behind', async () => {
    await write(path, 'old');
    await write(pathToFileURL(path), Buffer.from('new'));
    await write(path, 'ff00', { encoding: 'hex', durability: 'system' });
    expect([...nodeFs.readFileSync(path)]).toEqual([255, 0]);
    expect(names()).toEqual(['state.json']);
  });

  it('keeps the permissions of the file that it replaces', async () => {
    for (const mode of [0o600, 0o644, 0o755, 0o440]) {
      nodeFs.writeFileSync(path, 'old');
      nodeFs.chmodSync(path, mode);
      await write(path, 'new');
      expect([modeOf(path), text(path)]).toEqual([mode, 'new']);
      nodeFs.rmSync(path);
    }
  });

  it('gives a new file the permissions that the process gives, or those that are asked for, exactly', async () => {
    const plain = join(folder, 'plain');
    nodeFs.writeFileSync(plain, '');
    await write(path, 'new');
    expect(modeOf(path)).toBe(modeOf(plain));
    await write(path, 'new', { mode: 0o666 });
    expect(modeOf(path)).toBe(0o666);
    await write(path, 'new', { mode: 0o600 });
    expect(modeOf(path)).toBe(0o600);
  });

  it('replaces the file that a symbolic link leads to, and keeps the link', async () => {
    const sub = join(folder, 'sub');
    nodeFs.mkdirSync(sub);
    nodeFs.writeFileSync(join(sub, 'real'), 'old');
    nodeFs.symlinkSync('sub/real', join(folder, 'middle'));
    nodeFs.symlinkSync('middle', path);
    await write(path, 'new');
    expect(nodeFs.lstatSync(path).isSymbolicLink()).toBe(true);
    expect(text(join(sub, 'real'))).toBe('new');
    expect(nodeFs.readdirSync(sub)).toEqual(['real']);
  });

  it('refuses a link that leads nowhere, a folder, a device, and data that is none', async () => {
    nodeFs.symlinkSync('nowhere', path);
    await expect(write(path, 'new')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(write(folder, 'new')).rejects.toMatchObject({ code: expect.stringMatching(/EISDIR|ENOTEMPTY|EBUSY/) });
    await expect(write('/dev/null', 'new')).rejects.toThrow('Only a file can be replaced');
    await expect(write(join(folder, 'number'), 7 as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    await expect(write(join(folder, 'no', 'folder'), 'new')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(names()).toEqual(['state.json']);
  });

  it.each<[string, unknown, string]>([
    ['a misspelt option', { durabilty: 'disk' }, 'did you mean "durability"?'],
    ['a wrong mode', { mode: 0o7777 }, 'mode is 4095; it must be an integer from 0 to 511'],
    ['a wrong encoding', { encoding: 'utf7' }, 'encoding is "utf7"'],
    ['a wrong durability', { durability: 'none' }, `durability is "none"; it must be 'disk' or 'system'`],
    ['a wrong option of every policy', { maxAttempts: 0 }, 'maxAttempts is 0'],
    ['no options', null, 'file options are null'],
  ])('refuses %s', async (_name, wrong, expected) => {
    await expect(async () => write(path, 'new', wrong as AtomicWriteOptions)).rejects.toThrow(expected);
    expect(names()).toEqual([]);
  });
});

describe('a write that fails', () => {
  let clock: FakeClock;
  let options: AtomicWriteOptions;
  beforeEach(() => {
    clock = new FakeClock();
    options = { clock, jitter: false, budget: 'none' };
    nodeFs.writeFileSync(path, 'old');
  });

  it('is retried from the beginning, with a temporary file of its own each time', async () => {
    const used: string[] = [];
    const { rename } = fs;
    jest.spyOn(fs, 'rename').mockImplementation(async (from, to) => {
      used.push(String(from));
      expect(names()).toHaveLength(2);
      expect(modeOf(String(from))).toBe(modeOf(path));
      if (used.length < 3) throw fault('EBUSY');
      return rename(from, to);
    });
    expect(await settle(clock, writeFileAtomic(path, 'new', options))).toEqual({ value: undefined });
    expect(text(path)).toBe('new');
    expect([new Set(used).size, clock.sleeps, names()]).toEqual([3, [500, 1000], ['state.json']]);
  });

  it('leaves the old content and no temporary file when the disk is full', async () => {
    const handle = { writeFile: () => Promise.reject(fault('ENOSPC')), close: async () => undefined };
    const { open } = fs;
    jest.spyOn(fs, 'open').mockImplementation(async (...args) => {
      const real = await open(...args);
      await real.close();
      return handle as never;
    });
    expect(await settle(clock, writeFileAtomic(path, 'new', options))).toMatchObject({ error: { code: 'ENOSPC' } });
    expect([text(path), names(), clock.sleeps]).toEqual(['old', ['state.json'], []]);
  });

  it('leaves the old content when it is synchronous, too', () => {
    jest.spyOn(nodeFs, 'renameSync').mockImplementation(() => {
      throw fault('EBUSY');
    });
    expect(() => writeFileAtomicSync(path, 'new', options)).toThrow('EBUSY');
    expect([text(path), names(), clock.sleeps]).toEqual(['old', ['state.json'], [500, 1000, 2000, 4000]]);
  });

  it('tells what went wrong first when the temporary file cannot be removed either', async () => {
    jest.spyOn(fs, 'rename').mockRejectedValue(fault('EROFS'));
    jest.spyOn(fs, 'rm').mockRejectedValue(fault('EPERM'));
    expect(await settle(clock, writeFileAtomic(path, 'new', options))).toMatchObject({ error: { code: 'EROFS' } });
  });

  it('does not take the name any more once it was cut off', async () => {
    const realpath = jest.spyOn(fs, 'realpath');
    const { open } = fs;
    let go: () => void = () => undefined;
    const held = new Promise<void>(resolve => {
      go = resolve;
    });
    jest.spyOn(fs, 'open').mockImplementationOnce(async (...args) => {
      await held;
      return open(...args);
    });
    const abort = new AbortController();
    const call = writeFileAtomic(path, 'too late', { ...options, signal: abort.signal });
    await until(() => realpath.mock.results.length > 0);
    abort.abort(new Error('stopped'));
    await expect(call).rejects.toThrow('stopped');
    writeFileAtomicSync(path, 'newer');
    const rm = jest.spyOn(fs, 'rm');
    go();
    await until(() => rm.mock.results.length > 0 && names().length === 1);
    expect(text(path)).toBe('newer');
  });

  it('does not mind a file system that cannot flush a folder', async () => {
    const { open } = fs;
    jest.spyOn(fs, 'open').mockImplementation(async (...args) => {
      if (args[1] === 'r') throw fault('EINVAL');
      return open(...args);
    });
    await writeFileAtomic(path, 'new', options);
    expect(text(path)).toBe('new');
  });

  it('has the operation file_write', async () => {
    const observer = recordCalls();
    await writeFileAtomic(path, 'new', { observer });
    writeFileAtomicSync(path, 'new', { observer });
    expect(observer.calls.map(call => call.info.operation)).toEqual(['file_write', 'file_write']);
  });

  it('never shows a mixture when many write at once', async () => {
    const contents = ['a', 'b', 'c', 'd'].map(letter => letter.repeat(200_000));
    const writes = contents.flatMap(content => [content, content].map(each => writeFileAtomic(path, each)));
    let seen = 0;
    const reading = (async () => {
      while (seen < 20) {
        expect(['old', ...contents]).toContain(text(path));
        seen++;
        await new Promise(resolve => setImmediate(resolve));
      }
    })();
    await Promise.all([...writes, reading]);
    expect(names()).toEqual(['state.json']);
  });
});

describe('kill -9 while it writes', () => {
  it('leaves the old content or the new one, at least 20 times', async () => {
    const script = join(folder, 'writer.mjs');
    nodeFs.writeFileSync(script, WRITER);
    const entry = join(folder, 'files.mjs');
    // One file starts many times faster than fifty that have to lose their types first.
    const entryPoints = [join(__dirname, '../../../src/services/files/index.ts')];
    await build({ entryPoints, outfile: entry, bundle: true, platform: 'node', format: 'esm' });
    nodeFs.writeFileSync(path, 'a'.repeat(SIZE));
    const seen = new Set<string>();
    // It has to be killed at work as well, not before or after it alone; a slow disk needs more time for that.
    for (let i = 0; i < 20 || seen.size < 2; i++) {
      const form = i % 2 === 0 ? 'writeFileAtomic' : 'writeFileAtomicSync';
      const child = spawn(process.execPath, [script, entry, form, path, String(SIZE)], { stdio: 'pipe' });
      await once(child.stdout, 'data');
      await new Promise(resolve => setTimeout(resolve, i * 3));
      child.kill('SIGKILL');
      await once(child, 'exit');
      const content = text(path);
      expect(content).toHaveLength(SIZE);
      expect(new Set(content).size).toBe(1);
      seen.add(content.slice(0, 1));
    }
    expect(seen.size).toBeGreaterThan(1);
  });
});

const SIZE = 1_000_000;

/** Replaces the file without end, with another letter each time. */
const WRITER = `
const [, , entry, form, path, size] = process.argv;
const files = await import(entry);
for (let i = 0; ; i++) {
  const durability = i % 2 === 0 ? 'system' : 'disk';
  await files[form](path, String.fromCharCode(97 + (i % 26)).repeat(Number(size)), { durability });
  if (i === 0) process.stdout.write('started');
}
`;
