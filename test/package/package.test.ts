import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { ALERTS } from '../../dashboards/src/alert-names.ts';

const root = process.cwd();
const bin = (name: string): string => join(root, 'node_modules/.bin', name);
const run = (command: string, args: string[], cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const entries = Object.keys(manifest.exports).filter(entry => entry !== './package.json');
const names = entries.map(entry => entry.replace('.', 'retryscope'));
/** What each peer entry needs beside the package itself. */
const PEERS = [
  '@opentelemetry/api@1.10.0',
  '@opentelemetry/sdk-node@0.301.0',
  '@opentelemetry/sdk-trace@3.1.0',
  '@opentelemetry/sdk-metrics@3.1.0',
  '@opentelemetry/resources@3.1.0',
  '@opentelemetry/exporter-prometheus@0.301.0',
  '@opentelemetry/exporter-trace-otlp-proto@0.301.0',
  '@opentelemetry/exporter-metrics-otlp-proto@0.301.0',
  'winston@3.19.0',
  '@grpc/grpc-js@1.14.7',
  '@opentelemetry/instrumentation@0.301.0',
  'async-retry@1.3.3',
];
/** What is imported for what it does, and exports nothing. */
const WITHOUT_EXPORTS = ['retryscope/register'];

let folder: string;
let tarball: string;
let files: string[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'retryscope-'));
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], root));
  tarball = join(folder, packed.filename);
  files = packed.files.map(({ path }: { path: string }) => path);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function project(name: string, type: 'module' | 'commonjs', packages: string[]): string {
  const place = join(folder, name);
  mkdirSync(place);
  writeFileSync(join(place, 'package.json'), JSON.stringify({ name, private: true, type }));
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', tarball, ...packages], place);
  return place;
}

/** Uses every entry, and the door for real. */
const SMOKE = `
  const errors = [];
  for (const name of ${JSON.stringify(names)}) {
    try {
      const isEmpty = Object.keys(await load(name)).length === 0;
      if (isEmpty !== ${JSON.stringify(WITHOUT_EXPORTS)}.includes(name)) errors.push(name + ' has the wrong exports');
    } catch (error) {
      errors.push(name + ': ' + error.message);
    }
  }
  const { retry } = await load('retryscope');
  let calls = 0;
  const value = await retry(() => { if (++calls < 3) throw new Error('x'); return calls; }, { initialDelay: 1 });
  console.log(JSON.stringify({ value, errors }));
`;

/** An app that knows nothing of us: it has an SDK and a library that retries, and prints the spans that came of it. */
function appWith(load: (names: string, from: string) => string, line: 2 | 3): string {
  return `
    ${load('trace', '@opentelemetry/api')}
    ${line === 3 ? load('TracerProvider, InMemorySpanExporter, SimpleSpanProcessor', '@opentelemetry/sdk-trace') : load('BasicTracerProvider: TracerProvider, InMemorySpanExporter, SimpleSpanProcessor', '@opentelemetry/sdk-trace-base')}
    ${load('default: retry', 'async-retry')}
    const exporter = new InMemorySpanExporter();
    const processor = new SimpleSpanProcessor(${line === 3 ? '{ exporter }' : 'exporter'});
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [processor] }));
    let calls = 0;
    const call = retry(async function load_user() { if (++calls < 2) throw new Error('x'); }, { minTimeout: 1 });
    call.then(() => console.log(exporter.getFinishedSpans().map(({ name }) => name.split(' ')[0]).join()));`;
}
const imported = (names: string, from: string): string =>
  `import ${names.includes('default: ') ? names.replace('default: ', '') : `{ ${names.replace(': ', ' as ')} }`} from '${from}';`;
const required = (names: string, from: string): string =>
  names.includes('default: ')
    ? `const ${names.replace('default: ', '')} = require('${from}');`
    : `const { ${names} } = require('${from}');`;
const OBSERVED = 'attempt,attempt,retry';

describe('the packed package', () => {
  it('holds what it should and nothing else', () => {
    expect(
      files.filter(file => !/^dist\/((cli|dead-letters|durable)\/)?[\w.-]+\.(js|cjs|d\.ts|d\.cts)$/.test(file)).sort(),
    ).toEqual(
      [
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'THIRD-PARTY-LICENSES',
        ...['overview', 'operation', 'protection'].map(name => `dashboards/grafana/retry-${name}.json`),
        ...['alertmanager', 'prometheus', 'retry-alerts', 'retry-rules'].map(
          name => `dashboards/prometheus/${name}.yml`,
        ),
        ...ALERTS.map(name => `dashboards/runbooks/${name}.md`),
        'package.json',
        'schema/retryscope.config.schema.json',
      ].sort(),
    );
    expect(manifest.dependencies).toBeUndefined();
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
      expect(manifest.scripts[script]).toBeUndefined();
  });

  it('names the licence of each package that its command line brings along', () => {
    const [, list = ''] = /noExternal: \[(.*)\]/.exec(readFileSync(join(root, 'tsdown.config.mjs'), 'utf8')) ?? [];
    const bundled = list.split(',').map(entry => entry.replaceAll(/['\s\\^]/g, '').replaceAll(/^\/|\/$/g, ''));
    expect(bundled).toContain('@grafana/grafana-foundation-sdk');
    const licences = readFileSync(join(root, 'THIRD-PARTY-LICENSES'), 'utf8');
    expect(bundled.filter(name => !licences.includes(`\n${name} (`))).toEqual([]);
  });

  it('has an export for each entry that is built, and the other way round', () => {
    expect(entries.sort()).toEqual(Object.keys(readEntries()).sort());
  });

  it('is right in the eyes of publint and attw', () => {
    expect(run(bin('publint'), ['run', tarball, '--strict'], root)).toContain('All good');
    // attw ends with a status other than 0 when it finds a problem.
    expect(run(bin('attw'), [tarball, '--profile', 'node16', '--no-color', '--no-emoji'], root)).toContain('OK (CJS)');
  });

  describe.each<['module' | 'commonjs', string]>([
    ['module', 'const load = name => import(name);'],
    ['commonjs', 'const load = async name => require(name);'],
  ])('installed in an empty folder, as %s', (type, load) => {
    let place: string;
    beforeAll(() => {
      place = project(`as-${type}`, type, PEERS);
      const body = type === 'module' ? `${load}\n${SMOKE}` : `${load}\n(async () => {${SMOKE}})();`;
      writeFileSync(join(place, 'smoke.js'), body);
    }, 180_000);

    it('loads every entry in this Node', () => {
      expect(JSON.parse(run(bin('node'), ['smoke.js'], place))).toEqual({ value: 3, errors: [] });
    });

    it.each(['22', '26'])('loads every entry in Node %s', version => {
      const node = join(root, `.cache/node-${version}/node_modules/.bin/node`);
      if (!existsSync(node)) {
        if (process.env.CI) throw new Error(`Node ${version} is missing: see .ci/run`);
        console.log(`Node ${version} is not installed in .cache. Checks skipped: 1`);
        return;
      }
      expect(JSON.parse(run(node, ['smoke.js'], place))).toEqual({ value: 3, errors: [] });
    });

    it.each(['22', '24', '26'])('watches an app that knows nothing of it, in Node %s', version => {
      const node = version === '24' ? bin('node') : join(root, `.cache/node-${version}/node_modules/.bin/node`);
      if (!existsSync(node)) {
        if (process.env.CI) throw new Error(`Node ${version} is missing: see .ci/run`);
        console.log(`Node ${version} is not installed in .cache. Checks skipped: 1`);
        return;
      }
      writeFileSync(join(place, 'app.js'), appWith(type === 'module' ? imported : required, 3));
      const observed = run(node, ['--import', 'retryscope/register', 'app.js'], place);
      expect(observed.trim()).toBe(OBSERVED);
      // What is required has no time to wait, and the module hooks that it needs are there all the same.
      expect(run(node, ['--require', 'retryscope/register', 'app.js'], place).trim()).toBe(OBSERVED);
      expect(run(node, ['app.js'], place).trim()).toBe('');
    });

    it('T38: loads in jest’s default mode and in its mode for ES modules', () => {
      const uses = `
        test('retries', async () => {
          const clock = new FakeClock();
          const call = retry(({ number }) => { if (number < 2) throw new Error('x'); return number; }, { clock });
          await clock.runAll();
          expect(await call).toBe(2);
        });`;
      const names: [string, string][] = [
        ['{ retry }', 'retryscope'],
        ['{ FakeClock }', 'retryscope/testing'],
      ];
      const requires = names.map(([name, from]) => `const ${name} = require('${from}');`).join('\n');
      const imports = names.map(([name, from]) => `import ${name} from '${from}';`).join('\n');
      writeFileSync(join(place, 'smoke.test.cjs'), requires + uses);
      writeFileSync(join(place, 'smoke.test.mjs'), imports + uses);
      writeFileSync(
        join(place, 'jest.config.cjs'),
        'module.exports = { testMatch: ["**/*.test.?js"], transform: {}, moduleFileExtensions: ["js", "cjs", "mjs"] };',
      );
      const jest = (file: string): string =>
        run(bin('node'), ['--experimental-vm-modules', '--no-warnings', bin('jest'), '--silent', file], place);
      expect(() => jest('smoke.test.cjs')).not.toThrow();
      expect(() => jest('smoke.test.mjs')).not.toThrow();
    });

    it('has a command line', () => {
      writeFileSync(join(place, 'policy.json'), '{ "maxAttempts": 4 }');
      const command = join(place, 'node_modules/.bin/retryscope');
      const simulate = (...args: string[]): string =>
        run(bin('node'), [command, 'simulate', '--policy', 'policy.json', '--scenario', 'layers', ...args], place);
      expect(simulate()).toMatch(/policy\.json\s+│ 4 /);
      expect(JSON.parse(simulate('--json', '--alone'))).toMatchObject({ results: [{ verdict: 'recovers' }] });
      expect(run(bin('node'), [command, '--help'], place)).toContain('simulate');
      const status = (policy: string): unknown => {
        writeFileSync(join(place, 'policy.json'), policy);
        try {
          simulate('--alone');
          return 0;
        } catch (error) {
          return (error as { status: unknown }).status;
        }
      };
      expect(status('{ "nested": "both" }')).toBe(1);
      expect(status('{ "nest": "both" }')).toBe(2);
    });

    it('writes dashboards, alerts and runbooks without the repository, for whatever is set', () => {
      const command = join(place, 'node_modules/.bin/retryscope');
      const out = join(place, 'grafana-retry');
      mkdirSync(out, { recursive: true });
      const dashboards = (...args: string[]): string =>
        run(bin('node'), [command, 'dashboards', '--out', out, ...args], place);
      dashboards('--selector', 'team="shop"', '--objective', '0.01', '--runbook-base', 'https://wiki/runbooks');
      const written = (path: string): string => readFileSync(join(out, path), 'utf8');
      expect(JSON.parse(written('grafana/retry-overview.json'))).toMatchObject({ schemaVersion: 42 });
      expect(written('prometheus/retry-rules.yml')).toContain('team="shop"');
      expect(written('prometheus/retry-alerts.yml')).toContain('https://wiki/runbooks/RetryStorm.md');
      expect(written('runbooks/RetryStorm.md')).toContain('# RetryStorm');
      let refused = { status: 0, stderr: '' };
      try {
        dashboards('--objective', '0.5');
      } catch (error) {
        refused = error as typeof refused;
      }
      expect(refused.status).toBe(2);
      expect(String(refused.stderr)).toMatch(/^retryscope: windows\[0\]\.factor is 14\.4, which can never be reached/);
      expect(written('prometheus/retry-rules.yml')).toContain('team="shop"');
    });

    it('is one library, however it is loaded', () => {
      const script = `
        import { createRequire } from 'node:module';
        import { addObserver } from 'retryscope';
        const { retry } = createRequire(import.meta.url)('retryscope');
        let seen = 0;
        addObserver({ call: () => { seen++; return {}; } });
        await retry(() => 1);
        console.log(seen);`;
      writeFileSync(join(place, 'both.mjs'), script);
      expect(run(bin('node'), ['both.mjs'], place).trim()).toBe('1');
    });
  });

  describe('beside the API alone', () => {
    let place: string;
    beforeAll(() => {
      place = project('lean', 'module', ['@opentelemetry/api@1.9.1']);
    }, 60_000);

    it('works, and says which peer an entry lacks', () => {
      writeFileSync(join(place, 'smoke.js'), "import { retry } from 'retryscope'; console.log(await retry(() => 5));");
      expect(run(bin('node'), ['smoke.js'], place).trim()).toBe('5');
      writeFileSync(join(place, 'setup.js'), "import 'retryscope/setup';");
      expect(() => run(bin('node'), ['setup.js'], place)).toThrow(/Cannot find package '@opentelemetry/);
      const told = "process.on('warning', ({ code }) => console.log(code)); await import('retryscope/register');";
      writeFileSync(join(place, 'register.js'), told);
      expect(run(bin('node'), ['register.js'], place).trim()).toBe('RETRYSCOPE_NO_INSTRUMENTATION');
    });

    it('has types that need nothing else either, as a module and as CommonJS', () => {
      const code = `
        import { retry } from 'retryscope';
        import { FakeClock } from 'retryscope/testing';
        import type { RetryPolicy } from 'retryscope/core';
        export const value: Promise<number> = retry(({ number }) => number, { clock: new FakeClock() });
        export type Policy = RetryPolicy;`;
      writeFileSync(join(place, 'a.mts'), code);
      writeFileSync(join(place, 'b.cts'), code);
      const options = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--noEmit', '--types', ''];
      expect(run(bin('tsc'), [...options, '--skipLibCheck', 'false', 'a.mts', 'b.cts'], place)).toBe('');
    });

    it('keeps its default observers when it is bundled', () => {
      const bundle = (code: string): string => {
        const { outputFiles } = buildSync({
          stdin: { contents: code, resolveDir: place },
          bundle: true,
          platform: 'node',
          format: 'esm',
          write: false,
        });
        return outputFiles[0]?.text ?? '';
      };
      expect(bundle("export { retry } from 'retryscope';")).toContain('@opentelemetry/api');
      expect(bundle("import 'retryscope/core';").length).toBeLessThan(200);
    });
  });

  it('can be installed beside the 2.x line of the OpenTelemetry SDK', () => {
    const line = ['api@1.9.1', 'sdk-node@0.223.0', 'exporter-prometheus@0.223.0', 'sdk-metrics@2.12.0'];
    line.push('sdk-trace-base@2.12.0', 'instrumentation@0.223.0');
    const place = project('line-2', 'module', [...line.map(name => `@opentelemetry/${name}`), 'async-retry@1.3.3']);
    const script =
      "import { retry } from 'retryscope'; import 'retryscope/opentelemetry'; console.log(await retry(() => 5));";
    writeFileSync(join(place, 'smoke.js'), script);
    expect(run(bin('node'), ['smoke.js'], place).trim()).toBe('5');
    writeFileSync(join(place, 'app.js'), appWith(imported, 2));
    writeFileSync(join(place, 'app.cjs'), appWith(required, 2));
    for (const app of ['app.js', 'app.cjs'])
      expect(run(bin('node'), ['--import', 'retryscope/register', app], place).trim()).toBe(OBSERVED);
  }, 180_000);
});

describe('the core', () => {
  const bundle = (code: string): { text: string; imports: string[] } => {
    const result = buildSync({
      stdin: { contents: code, resolveDir: root },
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      target: 'node22',
      write: false,
      metafile: true,
    });
    const imports = Object.values(result.metafile.outputs).flatMap(output => output.imports.map(({ path }) => path));
    return { text: result.outputFiles[0]?.text ?? '', imports };
  };

  it('depends on nothing but Node', () => {
    const { imports } = bundle("export * from './dist/core.js'");
    expect(imports.filter(path => !path.startsWith('node:'))).toEqual([]);
  });

  it('keeps its size', () => {
    const all = gzipSync(bundle("export * from './dist/core.js'").text, { level: 9 }).length;
    const retryOnly = gzipSync(bundle("export { retry } from './dist/core.js'").text, { level: 9 }).length;
    console.log(`core: ${all} bytes, retry alone: ${retryOnly} bytes (minified and compressed)`);
    expect(retryOnly).toBeLessThanOrEqual(11.75 * 1024);
    expect(all).toBeLessThanOrEqual(18.25 * 1024);
  });
});

function readEntries(): Record<string, string> {
  const text = readFileSync(join(root, 'scripts/entries.mjs'), 'utf8');
  return Object.fromEntries([...text.matchAll(/'(\.[^']*)': '([^']+)'/g)].map(([, entry, source]) => [entry, source]));
}
