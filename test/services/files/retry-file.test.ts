import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AttemptTimeoutError, retrySummary } from 'retryscope/core';
import { FakeClock, recordCalls } from 'retryscope/testing';
import { classifyOn } from '../../../src/services/files/classify-file-error.ts';
import {
  classifyFileError,
  FILE_DEFAULTS,
  type FileRetryOptions,
  readFile,
  rename,
  retryFile,
  retryFileSync,
} from '../../../src/services/files/index.ts';
import { HOSTILE_VALUES } from '../../hostile/values.ts';
import { settle } from '../../support/settle.ts';

const fault = (code: string, syscall = 'open'): Error =>
  Object.assign(new Error(`${code}: ${syscall} '/srv/data'`), { code, syscall });

let folder: string;
let clock: FakeClock;
let options: FileRetryOptions<never>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-test-'));
  clock = new FakeClock();
  options = { clock, jitter: false, budget: 'none' };
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe('classifyFileError', () => {
  it.each(
    `EBUSY EMFILE ENFILE EAGAIN EINTR ETXTBSY ENOLCK ESTALE EIO EREMOTEIO ETIMEDOUT EHOSTDOWN EHOSTUNREACH ECONNRESET`.split(
      ' ',
    ),
  )('%s is transient', code => {
    expect(classifyFileError(fault(code))).toBe('transient');
  });

  it.each(
    'ENOENT EACCES EPERM EISDIR ENOTDIR ENOTEMPTY EEXIST ENOSPC EDQUOT EROFS EFBIG EXDEV ELOOP EINVAL EBADF'.split(' '),
  )('%s is permanent', code => {
    expect(classifyFileError(fault(code))).toBe('permanent');
  });

  it('is permanent for what is no error of the file system', () => {
    expect(classifyFileError(new SyntaxError('Unexpected token'))).toBe('permanent');
    expect(classifyFileError(new Error('boom'))).toBe('permanent');
  });

  it('sees the cause, and keeps the class of our own errors', () => {
    expect(classifyFileError(new Error('cannot load', { cause: fault('EBUSY') }))).toBe('transient');
    expect(classifyFileError(new AttemptTimeoutError(1, 10))).toBe('transient');
  });

  it.each(['EPERM', 'EACCES'])('%s of a rename is transient under Windows alone', code => {
    expect(classifyOn('win32', fault(code, 'rename'))).toBe('transient');
    expect(classifyOn('win32', fault(code, 'unlink'))).toBe('transient');
    expect(classifyOn('win32', fault(code, 'open'))).toBe('permanent');
    expect(classifyOn('linux', fault(code, 'rename'))).toBe('permanent');
  });

  it('never throws, whatever was thrown', () => {
    for (const [, make] of HOSTILE_VALUES) {
      expect(classifyFileError(make())).toBeDefined();
      expect(classifyOn('win32', make())).toBeDefined();
    }
  });
});

describe('retryFile', () => {
  it('makes five attempts, and waits half a second first', async () => {
    const error = fault('EBUSY');
    const fn = jest.fn(() => Promise.reject(error));
    expect(await settle(clock, retryFile(fn, options))).toEqual({ error });
    expect(fn).toHaveBeenCalledTimes(FILE_DEFAULTS.maxAttempts);
    expect(clock.sleeps).toEqual([500, 1000, 2000, 4000]);
  });

  it('does not retry what will not change', async () => {
    const error = await settle(
      clock,
      retryFile(() => fs.readFile(join(folder, 'missing')), options),
    );
    expect(error).toMatchObject({ error: { code: 'ENOENT' } });
    expect(clock.sleeps).toEqual([]);
  });

  it('spends from the budget "files"', async () => {
    const error = fault('EMFILE');
    const fn = jest.fn(() => Promise.reject(error));
    for (let i = 0; i < 5; i++) await settle(clock, retryFile(fn, { clock }));
    expect(fn).toHaveBeenCalledTimes(15);
    expect(retrySummary(error)?.reason).toBe('budget_exhausted');
  });

  it('blocks in its synchronous form', () => {
    const errors = [fault('EBUSY'), fault('EAGAIN')];
    const value = retryFileSync(() => {
      const error = errors.shift();
      if (error !== undefined) throw error;
      return 'done';
    }, options);
    expect([value, clock.sleeps]).toEqual(['done', [500, 1000]]);
  });

  it.each<[string, unknown, string]>([
    ['a misspelt option', { maxAttemps: 2 }, 'did you mean "maxAttempts"?'],
    ['a wrong budget', { budget: false }, 'budget is false'],
    ['a wrong retryOn', { retryOn: {} }, 'retryOn is an object'],
    ['no options', null, 'file options are null'],
    [
      'a hedge',
      { hedge: 5 },
      'hedge is no option for files: two attempts at the same file would be in each other’s way',
    ],
  ])('refuses %s', (_, wrong, text) => {
    expect(() => retryFile(() => 1, wrong as FileRetryOptions<number>)).toThrow(text);
    expect(() => retryFileSync(() => 1, wrong as FileRetryOptions<number>)).toThrow(text);
    expect(() => readFile('a', undefined, wrong as FileRetryOptions<Buffer>)).toThrow(text);
    expect(() => rename('a', 'b', wrong as FileRetryOptions<void>)).toThrow(text);
  });
});

describe('ready operations', () => {
  it('read text and bytes, and name their operation for what they do, never for the path', async () => {
    const observer = recordCalls();
    const path = join(folder, 'secret-name.txt');
    writeFileSync(path, 'text');
    expect(await readFile(path, 'utf8', { observer })).toBe('text');
    expect(await readFile(path, undefined, { observer })).toEqual(Buffer.from('text'));
    await rename(path, join(folder, 'other'), { observer });
    expect(await readFile(join(folder, 'other'), 'utf8', { observer, operation: 'own' })).toBe('text');
    expect(observer.calls.map(call => call.info.operation)).toEqual(['file_read', 'file_read', 'file_rename', 'own']);
  });

  it('are retried', async () => {
    writeFileSync(join(folder, 'a'), 'text');
    jest.spyOn(fs, 'readFile').mockRejectedValueOnce(fault('ESTALE'));
    jest.spyOn(fs, 'rename').mockRejectedValueOnce(fault('EBUSY')).mockRejectedValueOnce(fault('EBUSY'));
    expect(await settle(clock, readFile(join(folder, 'a'), 'utf8', options))).toEqual({ value: 'text' });
    await settle(clock, rename(join(folder, 'a'), join(folder, 'b'), options));
    expect(await fs.readFile(join(folder, 'b'), 'utf8')).toBe('text');
    expect(clock.sleeps).toEqual([500, 500, 1000]);
  });

  it('read a file although the process has no descriptors left for a while', async () => {
    const script = join(folder, 'starved.mts');
    writeFileSync(script, STARVED);
    writeFileSync(join(folder, 'wanted'), 'at last');
    const entry = join(__dirname, '../../../src/services/files/index.ts');
    // The shell lowers the limit for the child alone.
    const command = `ulimit -n 40 && exec "${process.execPath}" "${script}" "${entry}" "${join(folder, 'wanted')}"`;
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command]);
    expect(JSON.parse(stdout)).toEqual({ text: 'at last', codes: ['EMFILE'], written: 'new' });
  }, 120_000);
});

/** Opens files until none is left, gives them back after the first failure, and tells what happened. */
const STARVED = `
import { closeSync, openSync, readFileSync } from 'node:fs';
const [, , entry, path] = process.argv;
const { readFile, writeFileAtomic } = await import(entry);
const held = [];
const starve = () => { try { for (;;) held.push(openSync(path)); } catch {} };
const free = () => { for (const file of held.splice(0)) closeSync(file); };
const codes = new Set();
const options = { initialDelay: 20, onRetry: ({ error }) => { codes.add(error.code); free(); } };
starve();
const text = await readFile(path, 'utf8', options);
starve();
await writeFileAtomic(path, 'new', options);
process.stdout.write(JSON.stringify({ text, codes: [...codes], written: readFileSync(path, 'utf8') }));
`;
