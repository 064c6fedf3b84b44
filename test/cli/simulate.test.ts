import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { SCENARIOS } from '../../benchmarks/storm/scenarios.ts';
import { readPolicyFile } from '../../cli/policy-file.ts';
import { printable } from '../../cli/printable.ts';
import { ProgressLine } from '../../cli/progress-line.ts';
import { simulate } from '../../cli/simulate.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { CircuitBreaker, GrpcBudget, RetryBudget, WindowBudget } from '../../src/core.ts';
import { FakeClock } from '../../src/testing/index.ts';

// A storm takes its time on a machine that is busy with others.
jest.setTimeout(60_000);

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

  it('may have a byte order mark, and options that change nothing here', () => {
    const path = file(
      `\uFEFF${JSON.stringify({ operation: 'pay', attributes: { a: 1 }, unref: true, retryAfter: true })}`,
    );
    expect(readPolicyFile(path).processes(new FakeClock())()).toMatchObject({ operation: 'pay' });
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', 'is not JSON'],
    ['no object', '[]', 'holds no JSON object'],
    ['a number', '5', 'holds no JSON object'],
    ['null', 'null', 'holds no JSON object'],
    ['nothing in it', '', 'is not JSON'],
    ['retries', { retries: 3 }, 'retries is not an option; maxAttempts counts every execution'],
    ['an unknown option', { maxAttemps: 3 }, '"maxAttemps" is not an option; did you mean "maxAttempts"?'],
    ['a wrong value', { maxAttempts: 0 }, 'maxAttempts is 0; it must be an integer of 1 or more'],
    ['a text for a number', { maxAttempts: '3' }, 'maxAttempts is "3"; it must be an integer'],
    ['attempts without end', { maxAttempts: 101 }, 'maxAttempts is 101; a simulation makes at most 100 attempts'],
    ['codes of errors', { retryOn: ['ECONNRESET'] }, 'retryOn has no part in a simulation; leave it out'],
    ['a clock', { clock: {} }, 'clock has no part in a simulation; leave it out'],
    ['a prototype key', '{"__proto__": {"maxAttempts": 5}}', '"__proto__" may not be the name of an option'],
    ['one further inside', '{"budget": {"constructor": 5}}', '"constructor" may not be the name of an option'],
    ['the third of them', '{"breaker": {"trip": {"prototype": 1}}}', '"prototype" may not be the name of an option'],
    ['an unknown budget', { budget: { kind: 'magic' } }, 'in budget, kind is "magic"; it must be one of none, success'],
    ['one of Object', { budget: { kind: 'toString' } }, 'in budget, kind is "toString"'],
    ['a wrong budget', { budget: { ratio: -1 } }, 'in budget, ratio is -1; it must be a number from 0 to 1000'],
    ['a shared wrong budget', { budget: { ratio: -1, shared: true } }, 'in budget, ratio is -1'],
    ['a clock in a budget', { budget: { clock: {} } }, 'in budget, "clock" is not an option'],
    [
      'a wrong breaker',
      { breaker: { trip: { kind: 'x' } } },
      'in breaker, trip.kind is "x"; it must be \'consecutive\'',
    ],
    ['a list as a budget', { budget: [] }, 'budget must be an object'],
    ['a flag as a breaker', { breaker: true }, 'breaker must be an object'],
    ['"shared" as a text', { budget: { shared: 'yes' } }, 'budget.shared must be true or false'],
    ['65 kB', JSON.stringify({ backoff: Array(40_000).fill(1) }), 'is larger than 65536 bytes'],
  ])('is refused with %s', (_what, content, message) => {
    expect(() => readPolicyFile(file(content))).toThrow(message);
    expect(() => readPolicyFile(file(content))).toThrow(UsageError);
  });

  it('may be as large as is allowed', () => {
    const path = file(`{}${' '.repeat(65_534)}`);
    expect(readPolicyFile(path).processes(new FakeClock())()).toEqual({});
  });

  it('is missed when it is not there, and refused when it is something else', () => {
    expect(() => readPolicyFile(join(folder, 'nope.json'))).toThrow(/nope\.json: there is no such file$/);
    expect(() => readPolicyFile(folder)).toThrow(/: this is a folder, not a file$/);
    expect(() => readPolicyFile('/dev/zero')).toThrow('is larger than 65536 bytes');
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
    expect(text).toMatch(/✓ policy-\d+\.json\s+│ 5 /);
    expect(text).toMatch(/✗ four attempts each, nested: both\s+│ 64 /);
    expect(text).toMatch(/policy-\d+\.json gets through\.\n$/);
  });

  it('says so when a policy does not get through', async () => {
    const { verdict, text } = await run({ maxAttempts: 5, nested: 'both' }, { alone: true });
    expect(verdict).toBe('does_not_recover');
    expect(text).toMatch(/policy-\d+\.json does not get through\.\n$/);
  });

  it('prints JSON for programs, in which nothing is missing', async () => {
    const options = { json: true, alone: true, scenario: 'osdi', processes: 2, seeds: 2 };
    const { text } = await run({ maxAttempts: 5, initialDelay: 0 }, options);
    expect(JSON.parse(text)).toEqual({
      scenario: 'osdi',
      title: expect.stringContaining('OSDI 2022'),
      criterion: expect.any(String),
      seeds: 2,
      processes: 2,
      results: [
        {
          name: expect.stringMatching(/^policy-/),
          own: true,
          verdict: 'does_not_recover',
          runs: Array(2).fill({
            recoverySeconds: null,
            peakAmplification: expect.any(Number),
            finalAmplification: expect.any(Number),
            calls: expect.any(Number),
            attempts: expect.any(Number),
          }),
        },
      ],
    });
  });

  it.each(['hotos', 'osdi', 'brooker', 'collapse', 'layers'] as const)(
    'keeps within a hundred columns in %s',
    async name => {
      const { title, criterion, columns, presets } = SCENARIOS[name];
      // As wide as cells get in each scenario.
      const cell = { hotos: '', osdi: '', brooker: '100.0', collapse: '0 of 100', layers: '64' }[name];
      const cells = columns.map((_, i) => cell || (i === 0 ? '448, never in 2' : '1.07 to 1.10'));
      const table = new Table({ head: ['', ...columns], style: { head: [], border: [] } });
      for (const preset of [...presets, { name: 'x'.repeat(33) }].slice(0, name === 'brooker' ? -1 : undefined)) {
        table.push([`✓ ${preset.name}`, ...cells]);
      }
      for (const line of [title, `✓ when ${criterion}`, ...table.toString().split('\n')]) {
        expect(line.length).toBeLessThanOrEqual(100);
      }
    },
  );
});

describe('what comes from a file', () => {
  it('cannot steer a terminal', () => {
    expect(printable('a\u001b[31mb\u009bc\nd\u202ee')).toBe('a\\u{1b}[31mb\\u{9b}c\\u{a}d\\u{202e}e');
    expect(printable('plain "text" – ünïcode ✓')).toBe('plain "text" – ünïcode ✓');
  });
});

describe('the progress line', () => {
  const shown = (isTTY: boolean): string => {
    const texts: string[] = [];
    const line = new ProgressLine({
      isTTY,
      write: (text: string) => texts.push(text),
    } as unknown as NodeJS.WriteStream);
    line.show('1 of 2: mine, step 1');
    line.clear();
    return texts.join('');
  };

  it('is written over on a terminal, and not there elsewhere', () => {
    expect(shown(true)).toBe('\r\u001b[K1 of 2: mine, step 1 (0 s)\r\u001b[K');
    expect(shown(false)).toBe('');
  });
});
