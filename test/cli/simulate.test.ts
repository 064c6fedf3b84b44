import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPolicyFile } from '../../cli/policy-file.ts';
import { simulate } from '../../cli/simulate.ts';
import { CircuitBreaker, GrpcBudget, RetryBudget, WindowBudget } from '../../src/core.ts';
import { FakeClock } from '../../src/testing/index.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'policy-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
const file = (content: unknown): string => {
  const path = join(folder, `policy-${++count}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

describe('a policy file', () => {
  it('holds options and limits', () => {
    const path = file({
      maxAttempts: 4,
      initialDelay: 100,
      backoff: [1, 2],
      budget: { kind: 'window', ratio: 0.3 },
      breaker: { trip: { kind: 'count', size: 10 }, openMs: 5000 },
    });
    const create = readPolicyFile(path).processes(new FakeClock());
    const [one, two] = [create(), create()];
    expect(one).toMatchObject({ maxAttempts: 4, initialDelay: 100, backoff: [1, 2] });
    expect(one.budget).toBeInstanceOf(WindowBudget);
    expect(one.breaker).toBeInstanceOf(CircuitBreaker);
    expect(one.budget).not.toBe(two.budget);
  });

  it('shares what is to be shared, within a run', () => {
    const policy = readPolicyFile(file({ budget: { shared: true }, breaker: { shared: false } }));
    const create = policy.processes(new FakeClock());
    const [one, two] = [create(), create()];
    expect(one.budget).toBeInstanceOf(RetryBudget);
    expect(one.budget).toBe(two.budget);
    expect(one.breaker).not.toBe(two.breaker);
    expect(policy.processes(new FakeClock())().budget).not.toBe(one.budget);
  });

  it.each([
    ['success', 10],
    ['grpc', 10],
    ['aws', 500],
    ['aws-classic', 500],
  ])('knows budgets of kind %s', (kind, tokens) => {
    const { budget } = readPolicyFile(file({ budget: { kind } })).processes(new FakeClock())();
    expect(budget?.balance()).toBe(tokens);
    expect(budget instanceof GrpcBudget).toBe(kind === 'grpc');
  });

  it('may have none', () => {
    expect(readPolicyFile(file({ budget: { kind: 'none' } })).processes(new FakeClock())()).toEqual({});
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', 'is not JSON: '],
    ['no object', '[]', 'holds no JSON object'],
    ['a number', '5', 'holds no JSON object'],
    ['null', 'null', 'holds no JSON object'],
    ['an unknown option', { retries: 3 }, 'retries is not an option; maxAttempts counts every execution'],
    ['a wrong value', { maxAttempts: 0 }, 'maxAttempts is 0; it must be an integer of 1 or more'],
    ['a prototype key', '{"__proto__": {"maxAttempts": 5}}', '"__proto__" may not be the name of an option'],
    ['one further inside', '{"budget": {"constructor": 5}}', '"constructor" may not be the name of an option'],
    ['an unknown budget', { budget: { kind: 'magic' } }, 'in budget, kind is "magic"; it must be one of none, success'],
    ['a wrong budget', { budget: { ratio: -1 } }, 'ratio is -1; it must be a number from 0 to 1000'],
    ['a wrong breaker', { breaker: { trip: { kind: 'x' } } }, 'trip.kind is "x"; it must be \'consecutive\''],
    ['a list as a budget', { budget: [] }, 'budget must be an object'],
    ['"shared" as a text', { budget: { shared: 'yes' } }, 'budget.shared must be true or false'],
    ['what a scenario has no part for', { retryOn: 'X' }, 'retryOn has no part in a simulation; leave it out'],
    ['65 kB', JSON.stringify({ backoff: Array(40_000).fill(1) }), 'is larger than 65536 bytes'],
  ])('is refused with %s', (_what, content, message) => {
    expect(() => readPolicyFile(file(content))).toThrow(message);
  });

  it('is missed when it is not there', () => {
    expect(() => readPolicyFile(join(folder, 'nope.json'))).toThrow(/nope\.json: there is no such file$/);
  });
});

describe('simulate', () => {
  const run = async (policy: unknown, options: object): Promise<{ verdict: string; text: string }> => {
    const texts: string[] = [];
    const write = jest.spyOn(process.stdout, 'write').mockImplementation(text => {
      texts.push(String(text));
      return true;
    });
    try {
      const verdict = await simulate({ policy: file(policy), scenario: 'layers', seeds: 1, ...options });
      return { verdict, text: texts.join('') };
    } finally {
      write.mockRestore();
    }
  };

  it('shows a policy beside the presets', async () => {
    const { verdict, text } = await run({ maxAttempts: 5 }, {});
    expect(verdict).toBe('recovers');
    expect(text).toContain('Layers: three layers of retries around a call that fails');
    expect(text).toMatch(/policy-\d+\.json\s+│ 5 /);
    expect(text).toMatch(/nested: both\s+│ 64 /);
  });

  it('says so when a policy does not get through', async () => {
    const { verdict } = await run({ maxAttempts: 5, nested: 'both' }, { alone: true });
    expect(verdict).toBe('does_not_recover');
  });

  it('prints JSON for programs', async () => {
    const { text } = await run({ maxAttempts: 3 }, { json: true, alone: true, scenario: 'collapse', seeds: 2 });
    expect(JSON.parse(text)).toMatchObject({
      scenario: 'collapse',
      processes: 1,
      results: [{ own: true, verdict: expect.any(String), runs: [{ goodput: expect.any(Number) }, {}] }],
    });
  });
});
