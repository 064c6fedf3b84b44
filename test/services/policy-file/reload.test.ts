import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RetryBudget } from '../../../src/core.ts';
import { limitRegistry } from '../../../src/limits/registry.ts';
import { loadPolicies, type Policies } from '../../../src/services/policy-file/index.ts';
import { until } from '../../redis/support/until.ts';
import { EXAMPLE } from './support/example.ts';

// Files are looked at in real time, on machines that may be busy.
jest.setTimeout(60_000);

let folder: string;
let stop: AbortController;
let warn: jest.SpyInstance;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'policies-'));
  stop = new AbortController();
  warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});
afterEach(() => {
  stop.abort();
  warn.mockRestore();
  rmSync(folder, { recursive: true, force: true });
});

const write = (content: unknown, name = 'policies.json'): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const watch = (path: string): Promise<Policies> => loadPolicies({ path, reloadEvery: 100, signal: stop.signal });
const warnings = (): string[] => warn.mock.calls.map(([message]) => String(message));
const budgets = (): string[] => [...limitRegistry.budgets].map(({ state }) => state.name);
/** Long enough for a file to be looked at three times. */
const threeLooks = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 350));

it('is off by default', async () => {
  const path = write(EXAMPLE);
  const policies = await loadPolicies({ path });
  write({ operations: { other: {} } });
  await threeLooks();
  expect(policies.operations).toEqual(['load_user', 'quick']);
});

it('takes over what changed, keeps limits that did not, and keeps all where the file is wrong', async () => {
  const path = write(EXAMPLE);
  const policies = await watch(path);
  const before = policies.services[0]?.options;
  const budget = before?.budget as unknown as RetryBudget;
  budget.tryWithdraw();
  write({ ...EXAMPLE, operations: { load_user: 'nobody' } });
  await until(() => warn.mock.calls.length > 0);
  expect(warn.mock.calls[0]).toEqual([
    `The policies stay as they were: ${path}: operations.load_user: the name is "nobody"; it must be one of policies: there are patient, rpc`,
    { type: 'RetryscopeWarning', code: 'RETRYSCOPE_CONFIG' },
  ]);
  expect(policies.operations).toEqual(['load_user', 'quick']);
  expect(policies.settings).toEqual(EXAMPLE);

  const breakers = { users: { openMs: 7000 } };
  write({ ...EXAMPLE, breakers, operations: { load_user: 'patient', third: 'rpc' } });
  await until(() => policies.operations.includes('third'));
  const after = policies.services[0]?.options;
  expect(after?.budget).toBe(before?.budget);
  expect(budget.state.granted).toBe(1);
  expect(after?.breaker).not.toBe(before?.breaker);
  expect(policies.settings).toMatchObject({ breakers });
});

it('tells of a mistake once', async () => {
  const path = write(EXAMPLE);
  await watch(path);
  write('{');
  await until(() => warn.mock.calls.length > 0);
  await threeLooks();
  expect(warnings()).toEqual([
    `The policies stay as they were: ${path}: it is not JSON: a name in double quotes, or } is missing at line 1, column 2`,
  ]);
});

it('takes over a file that another took the place of, also behind a link', async () => {
  write({ operations: { one: {} } }, 'a.json');
  write({ operations: { two: {} } }, 'b.json');
  const path = join(folder, 'link.json');
  symlinkSync('a.json', path);
  const policies = await watch(path);
  expect(policies.operations).toEqual(['one']);
  symlinkSync('b.json', join(folder, 'next'));
  renameSync(join(folder, 'next'), path);
  await until(() => policies.operations.includes('two'));
  expect(warnings()).toEqual([]);
});

it('waits until a file that is being written is whole', async () => {
  const path = write({ operations: { one: {} } });
  const policies = await watch(path);
  const text = JSON.stringify({ operations: { two: {} } });
  // An editor that writes in pieces: at each look the file is another one.
  for (let size = 1; size <= text.length; size++) {
    write(text.slice(0, size));
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  await until(() => policies.operations.includes('two'));
  expect(warnings()).toEqual([]);
});

it('keeps the policies of a file that goes away, and takes over what comes back', async () => {
  const path = write({ operations: { one: {} } });
  const policies = await watch(path);
  unlinkSync(path);
  await until(() => warn.mock.calls.length > 0);
  expect(warnings()).toEqual([`The policies stay as they were: ${path}: it cannot be read: there is no such file`]);
  expect(policies.operations).toEqual(['one']);
  write({ operations: { two: {} } });
  await until(() => policies.operations.includes('two'));
});

it('shows no limits in the metrics that are there no more, or of a file that was refused', async () => {
  const path = write({ budgets: { kept: {}, other: { ratio: 0.2 }, gone: {} } });
  const policies = await watch(path);
  expect(budgets().filter(name => ['kept', 'other', 'gone'].includes(name))).toHaveLength(3);
  expect(() => policies.replace({ budgets: { wrong: {}, kept: {} }, policies: { a: { budget: 'nobody' } } })).toThrow(
    'policies.a',
  );
  expect(budgets()).not.toContain('wrong');
  policies.replace({ budgets: { kept: {}, other: { ratio: 0.3 } } });
  expect(
    budgets()
      .filter(name => ['kept', 'other', 'gone'].includes(name))
      .sort(),
  ).toEqual(['kept', 'other']);
});

it('ends with its signal', async () => {
  const path = write({ operations: { one: {} } });
  const policies = await watch(path);
  stop.abort();
  write({ operations: { two: {} } });
  await threeLooks();
  expect(policies.operations).toEqual(['one']);
});

describe('in a process of its own', () => {
  /** A copy of the sources where no package is installed. */
  const elsewhere = (): string => {
    cpSync(join(__dirname, '../../../src'), join(folder, 'src'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    return join(folder, 'src/services/policy-file/index.ts');
  };
  const run = (script: string): string =>
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: 20_000 });

  it('keeps no process alive', () => {
    const path = write(EXAMPLE);
    const script = `import { loadPolicies } from ${JSON.stringify(elsewhere())};
      const policies = await loadPolicies({ path: ${JSON.stringify(path)}, reloadEvery: 60_000 });
      console.log(policies.operations.join());`;
    const startedAt = performance.now();
    expect(run(script)).toBe('load_user,quick\n');
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  it('needs the package yaml for YAML alone, and says so', () => {
    const json = write(EXAMPLE);
    const yaml = write('operations: { one: {} }', 'policies.yaml');
    const script = `import { loadPolicies } from ${JSON.stringify(elsewhere())};
      console.log((await loadPolicies({ path: ${JSON.stringify(json)} })).operations.length);
      console.log(await loadPolicies({ path: ${JSON.stringify(yaml)} }).catch(error => error.message));`;
    expect(run(script)).toBe(`2\n${yaml}: YAML needs the package yaml: npm install yaml, or write JSON\n`);
  });
});
