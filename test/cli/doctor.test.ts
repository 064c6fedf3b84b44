import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { SEVERITIES, type Severity } from '../../cli/doctor/finding.ts';
import { readMetricsText } from '../../cli/doctor/read-metrics.ts';
import { wrapped } from '../../cli/doctor/wrapped.ts';
import { codes, type DoctorOptions, doctor } from '../../cli/doctor.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { registerRetryMetrics } from '../../instrumentation/prometheus/index.ts';
import { RetryBudget, retry } from '../../src/index.ts';

// Processes are started here, on machines that may be busy.
jest.setTimeout(60_000);

const ROOT = join(__dirname, '../..');
const SAMPLE = join(ROOT, 'examples/retryscope.config.yaml');
const DANGEROUS = {
  operations: { charge_card: { maxAttempts: 1000 }, ['x'.repeat(120)]: { jitter: false } },
  services: [{ kind: 'http', host: 'payments.internal', methods: ['POST'], policy: {} }],
};

let folder: string;
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'));
});
afterEach(async () => {
  delete process.env.RETRYSCOPE_CONFIG;
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  }
});

const write = (content: unknown, name = 'retryscope.config.json'): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const run = async (options: Partial<DoctorOptions>): Promise<{ verdict: string; text: string }> => {
  const texts: string[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation(text => {
    texts.push(String(text));
    return true;
  });
  try {
    const verdict = await doctor({ callerTimeout: 30_000, failOn: 'error', ...options });
    return { verdict, text: texts.join('') };
  } finally {
    spy.mockRestore();
  }
};
const refusal = async (options: Partial<DoctorOptions>): Promise<string> => {
  const error: unknown = await run(options).catch(fault => fault);
  if (error instanceof UsageError) return error.message;
  throw error;
};

describe('the doctor', () => {
  it('finds nothing dangerous in the sample of the examples', async () => {
    const { verdict, text } = await run({ config: SAMPLE, failOn: 'warning' });
    expect(verdict).toBe('healthy');
    expect(text).not.toMatch(/error|warning/);
  });

  it('finds nothing at all in a file with one good policy, and says so', async () => {
    const options = { attemptTimeout: 1000, maxElapsed: 8000, budget: 'users' };
    const path = write({ budgets: { users: { ratio: 0.15, capacity: 20 } }, operations: { load_user: options } });
    const { verdict, text } = await run({ config: path, failOn: 'info' });
    expect(text).toBe(`From ${path}\n✓ Nothing dangerous was found.\n`);
    expect(verdict).toBe('healthy');
  });

  it('shows the worst first, in a table of a hundred columns, without colours where there is no terminal', async () => {
    const { verdict, text } = await run({ config: write(DANGEROUS) });
    expect(verdict).toBe('dangerous');
    const lines = text.trimEnd().split('\n');
    expect(lines.slice(1, -1).every(line => line.length === 100)).toBe(true);
    const severities = lines.flatMap(line => /^│ [✗!i] (\w+)/.exec(line)?.[1] ?? []);
    expect(severities).toEqual(
      severities.toSorted((a, b) => SEVERITIES.indexOf(a as Severity) - SEVERITIES.indexOf(b as Severity)),
    );
    expect(severities[0]).toBe('error');
    expect(text).toContain('operations.charge_card: It allows 1,000 attempts');
    expect(text).not.toContain('\u001b');
    expect(lines.at(-1)).toMatch(/^1 error, \d+ warnings, \d+ info\.$/);
  });

  it('keeps to a narrow terminal', async () => {
    const before = process.stdout.columns;
    Object.defineProperty(process.stdout, 'columns', { value: 72, configurable: true });
    const { text } = await run({ config: write(DANGEROUS) });
    Object.defineProperty(process.stdout, 'columns', { value: before, configurable: true });
    expect(
      Math.max(
        ...text
          .split('\n')
          .slice(1)
          .map(line => line.length),
      ),
    ).toBe(72);
  });

  it('prints JSON for programs, in which nothing is missing', async () => {
    const path = write({ operations: { charge_card: { maxAttempts: 1000, maxElapsed: 5000, jitter: false } } });
    const { verdict, text } = await run({ config: path, json: true });
    expect(verdict).toBe('healthy');
    expect(JSON.parse(text)).toEqual({
      config: path,
      metrics: null,
      counts: { error: 0, warning: 2, info: 0 },
      findings: [
        {
          code: 'no-budget',
          severity: 'warning',
          where: 'operations.charge_card',
          what: 'Up to 1,000 attempts for each call, and no budget.',
          why: expect.stringMatching(/\.$/),
          fix: expect.stringMatching(/\.$/),
        },
        {
          code: 'no-jitter',
          severity: 'warning',
          where: 'operations.charge_card',
          what: 'jitter is off.',
          why: expect.any(String),
          fix: expect.any(String),
        },
      ],
    });
  });

  it('fails from the severity on that it is told, and leaves out what it is to ignore', async () => {
    const path = write({ operations: { charge_card: { attemptTimeout: 1000, maxElapsed: 5000, jitter: false } } });
    expect((await run({ config: path })).verdict).toBe('healthy');
    expect((await run({ config: path, failOn: 'warning' })).verdict).toBe('dangerous');
    const { verdict, text } = await run({ config: path, failOn: 'warning', ignore: ['no-jitter', 'no-budget'] });
    expect(verdict).toBe('healthy');
    expect(text).toContain('Nothing dangerous');
    expect(await refusal({ config: path, ignore: ['no-jiter'] })).toMatch(
      /^--ignore: there is no code no-jiter; there are amplification, /,
    );
  });

  it('takes callers to wait as long as it is told', async () => {
    const path = write({ operations: { a: { attemptTimeout: 4000 } } });
    expect((await run({ config: path })).text).not.toContain('longer-than-callers');
    expect((await run({ config: path, callerTimeout: 10_000 })).text).toContain(
      'A call can take 16.5 s; callers wait 10 s.',
    );
  });

  it('reads the file that the process would, and tells of one that is not read', async () => {
    jest.spyOn(process, 'cwd').mockReturnValue(folder);
    expect(await refusal({})).toBe('there is no policy file here; name one with --config, or metrics with --metrics');
    write(readFileSync(SAMPLE, 'utf8'), 'retryscope.config.yaml');
    expect((await run({})).text).not.toContain('shadowed-file');
    write({});
    const { text } = await run({ json: true });
    expect((JSON.parse(text) as { findings: object[] }).findings).toMatchObject([
      { code: 'shadowed-file', where: join(folder, 'retryscope.config.yaml') },
    ]);
    process.env.RETRYSCOPE_CONFIG = SAMPLE;
    expect((await run({})).text).not.toContain('shadowed-file');
  });

  it.each<[string, () => Partial<DoctorOptions>, RegExp]>([
    [
      'a file that is not there',
      () => ({ config: join(folder, 'no.json') }),
      /no\.json: it cannot be read: there is no such file$/,
    ],
    [
      'a file with a mistake',
      () => ({ config: write({ policies: { a: { maxAttempt: 1 } } }) }),
      /policies\.a: "maxAttempt" is not an option; did you mean "maxAttempts"\?$/,
    ],
    [
      'a file that is none',
      () => ({ config: write('{"a": hunter2') }),
      /it is not JSON: something unexpected at line 1, column 7$/,
    ],
    ['metrics that are not there', () => ({ metrics: join(folder, 'no.txt') }), /no\.txt: there is no such file$/],
    [
      'metrics that are none',
      () => ({ metrics: write('<html>', 'm.txt') }),
      /m\.txt: line 1 is not of the Prometheus text format/,
    ],
    [
      'another protocol',
      () => ({ metrics: 'file:///etc/passwd' }),
      /^metrics are read from http, https or a file only$/,
    ],
    [
      'alerts that are not there',
      () => ({ config: SAMPLE, alerts: join(folder, 'no.yaml') }),
      /no\.yaml: there is no such file$/,
    ],
    [
      'alerts with a mistake',
      () => ({ config: SAMPLE, alerts: write('objetive: 1', 'a.yaml') }),
      /a\.yaml: objetive is no option of the dashboards/,
    ],
  ])('refuses %s in one sentence', async (_what, options, message) => {
    const found = await refusal(options());
    expect(found).toMatch(message);
    expect(found).not.toMatch(/\n|hunter2/);
  });

  it('looks at the configuration of the alerts, also where the generator would refuse it', async () => {
    const { verdict, text } = await run({ config: SAMPLE, alerts: write('objective: 0.3', 'a.yaml') });
    expect(verdict).toBe('dangerous');
    expect(text).toContain('windows[0].factor: 14.4 times 0.3 is 4.32 retries per call;');
  });

  it('cannot be made to steer a terminal by what it reads', async () => {
    const { text } = await run({
      config: write({ operations: { 'a\u001b[2Jb\u202e': { maxAttempts: 1000 } } }),
      metrics: write('retryscope_info 1\nretry_overflow_total{source="\u001b[2J"} 1\n', 'm.txt'),
    });
    expect(text).not.toMatch(/\u202e|(?!\n)\p{Cc}/u);
    expect(text).toContain('\\u{1b}');
  });

  it('has codes that are words, each once', () => {
    expect(new Set(codes()).size).toBe(codes().length);
    for (const code of codes()) expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(Math.max(...codes().map(code => code.length))).toBeLessThanOrEqual(22);
  });
});

describe('the metrics of a process', () => {
  it('are read where they are', async () => {
    const register = new Registry();
    registerRetryMetrics(register);
    const budget = new RetryBudget({ name: 'doctor' });
    await retry(() => 1, { operation: 'doctor_visit', budget });
    await retry(
      () => retry(() => Promise.reject(new Error('down')), { operation: 'doctor_inner', initialDelay: 0, budget }),
      { operation: 'doctor_outer', initialDelay: 0 },
    ).catch(() => undefined);
    const address = await serve((_request, response) => void register.metrics().then(text => response.end(text)));
    const { verdict, text } = await run({ metrics: `${address}/metrics` });
    expect(verdict).toBe('healthy');
    expect(text).toContain(`From ${address}/metrics\n`);
    expect(text).toContain('retry_nested_suppressed_total{operation="doctor_outer"}: 1');
    expect(text).toMatch(/1 warning\.\n$/);
  });

  it('may need credentials, which are shown to nobody', async () => {
    const seen: (string | undefined)[] = [];
    const address = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end('retryscope_info{version="1"} 1\n');
    });
    const { text } = await run({ metrics: `${address.replace('//', '//me:hunt%25er2%zz@')}/metrics?token=hunter2` });
    expect(seen).toEqual([`Basic ${Buffer.from('me:hunt%25er2%zz').toString('base64')}`]);
    expect(text).not.toContain('hunt');
  });

  it('may have moved on the same server, and nowhere else', async () => {
    const elsewhere = await serve((_request, response) => response.end('stolen 1\n'));
    const address = await serve((request, response) => {
      const to = { '/old': '/new', '/away': `${elsewhere}/metrics`, '/round': '/round', '/nowhere': '' }[
        request.url ?? ''
      ];
      if (to === undefined) response.end('retryscope_info{version="1"} 1\n');
      else response.writeHead(302, to === '' ? {} : { location: to }).end();
    });
    expect(await readMetricsText(`${address}/old`)).toContain('retryscope_info');
    await expect(readMetricsText(`${address}/away`)).rejects.toThrow(`${address}/away leads to another server`);
    await expect(readMetricsText(`${address}/nowhere`)).rejects.toThrow(`${address}/nowhere leads`);
    await expect(readMetricsText(`${address}/round`)).rejects.toThrow('leads from one address to the next');
  });

  it('are not waited for, nor read, without end', async () => {
    const address = await serve((request, response) => {
      if (request.url === '/hangs') return;
      if (request.url === '/drips') {
        const timer = setInterval(() => response.write('a 1\n'), 20);
        response.on('close', () => clearInterval(timer));
        return;
      }
      const send = (): void => {
        while (response.write('x'.repeat(65_536)));
      };
      response.on('drain', send);
      send();
    });
    await expect(readMetricsText(`${address}/hangs`, 100)).rejects.toThrow(
      `${address}/hangs cannot be read: it takes too long`,
    );
    await expect(readMetricsText(`${address}/drips`, 200)).rejects.toThrow(
      `${address}/drips cannot be read: it takes too long`,
    );
    await expect(readMetricsText(`${address}/floods`, 20_000)).rejects.toThrow(
      `${address}/floods sends more than 16777216 bytes`,
    );
  });

  it('are missed where nobody serves them, or somebody says no', async () => {
    const address = await serve((_request, response) => response.writeHead(403).end('secret'));
    await expect(readMetricsText(`${address}/m`)).rejects.toThrow(
      new UsageError(`${address}/m answers with status 403`),
    );
    await expect(readMetricsText('http://127.0.0.1:1/m')).rejects.toThrow(
      /^http:\/\/127\.0\.0\.1:1\/m cannot be read: /,
    );
    await expect(readMetricsText('http://:x')).rejects.toThrow('the address of the metrics is no URL');
  });
});

describe('a text in lines', () => {
  it('is broken between words, and in words that are too long', () => {
    expect(wrapped('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrapped('retry_overflow_total{source="limit"}: 3', 20)).toEqual([
      'retry_overflow_',
      'total{source=',
      '"limit"}: 3',
    ]);
    expect(wrapped('x'.repeat(25), 10)).toEqual(['xxxxxxxxxx', 'xxxxxxxxxx', 'xxxxx']);
    expect(wrapped('', 10)).toEqual(['']);
  });
});

describe('the command', () => {
  /** What comes out of the sources themselves, without a build. */
  const command = (...args: string[]): Promise<{ status: unknown; stdout: string; stderr: string }> => {
    const hook = write(
      `import { registerHooks } from 'node:module';
      const SOURCES = { 'retryscope/core': 'src/core.ts', 'retryscope/policy-file': 'src/services/policy-file/index.ts' };
      registerHooks({
        resolve: (name, context, next) =>
          Object.hasOwn(SOURCES, name) ? next(${JSON.stringify(`file://${ROOT}/`)} + SOURCES[name], context) : next(name, context),
      });`,
      'hook.mjs',
    );
    return new Promise(resolve => {
      execFile(
        process.execPath,
        ['--import', hook, join(ROOT, 'cli/main.ts'), 'doctor', ...args],
        (error, stdout, stderr) => resolve({ status: error === null ? 0 : error.code, stdout, stderr }),
      );
    });
  };

  it.each<[number, string, () => string[]]>([
    [0, 'nothing is dangerous', () => ['--config', SAMPLE]],
    [1, 'there is an error', () => ['--config', write(DANGEROUS), '--json']],
    [
      0,
      'the errors are to be ignored',
      () => ['--config', write(DANGEROUS), '--ignore', 'unbounded-attempts, retry-not-idempotent'],
    ],
    [
      1,
      'there is a warning, and that is enough',
      () => ['--config', write({ operations: { a: {} } }), '--fail-on', 'warning'],
    ],
    [2, 'the file is not there', () => ['--config', join(folder, 'no.json')]],
    [2, 'an option is wrong', () => ['--caller-timeout', 'soon']],
    [2, 'there is something too many', () => ['file.json']],
  ])('ends with %i when %s', async (status, _when, args) => {
    const result = await command(...args());
    expect(result).toMatchObject({ status });
    if (status === 2) expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('tells how it is used', async () => {
    const { status, stdout } = await command('--help');
    expect(status).toBe(0);
    expect(stdout).toContain('Exit status: 0 if there is no finding of that severity, 1 if there is one');
  });
});
