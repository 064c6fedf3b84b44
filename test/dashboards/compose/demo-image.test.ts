import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readOptions } from '../../../examples/demo/options.ts';
import { dockerfileOf, ROOT, read, readYaml, serviceNamed, valuesOf } from './stack.ts';
import { PATIENCE_MS, statusOf, until, whileRunning } from './tools.ts';

const demo = serviceNamed('demo');
const dockerfile = read(dockerfileOf(demo) ?? '');
const instructions = dockerfile
  .split('\n')
  .map(line => line.split(' '))
  .filter(([keyword]) => /^[A-Z]+$/.test(keyword ?? ''));
const argumentsOf = (keyword: string): string[][] =>
  instructions.filter(([first]) => first === keyword).map(([, ...rest]) => rest);

it('runs as a user without rights, on the Node that the tests run on', () => {
  expect(argumentsOf('USER')).toEqual([['node']]);
  // Nothing is done for root after that.
  expect(instructions.slice(instructions.findIndex(([keyword]) => keyword === 'USER')).flat()).not.toContain('RUN');
  const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };
  expect(argumentsOf('FROM')).toEqual([[`node:${devDependencies.node}-bookworm-slim`]]);
});

it('installs what the lock names, without running what packages bring along', () => {
  expect(argumentsOf('RUN')[0]?.join(' ')).toMatch(/^npm ci .*--ignore-scripts/);
});

it('takes the options that the compose file gives', () => {
  expect(readOptions(demo.command ?? [], 'pipe')).toMatchObject({ seconds: Infinity, servicePort: 8080 });
});

it('listens where the ports are published', () => {
  expect(demo.environment).toMatchObject({ DEMO_HOST: '0.0.0.0', OTEL_EXPORTER_PROMETHEUS_HOST: '0.0.0.0' });
  expect(demo.ports?.map(port => port.split(':').at(-1))).toEqual(argumentsOf('EXPOSE')[0]);
  expect(argumentsOf('EXPOSE')[0]).toEqual(['8080', demo.environment?.OTEL_EXPORTER_PROMETHEUS_PORT]);
});

describe('.dockerignore', () => {
  const copied = argumentsOf('COPY').flatMap(names => names.slice(0, -1));

  it('lets through what is copied, all of which is there', () => {
    expect(copied.length).toBeGreaterThan(8);
    for (const path of copied) {
      expect(existsSync(join(ROOT, path))).toBe(true);
      expect(isIgnored(path)).toBe(false);
    }
  });

  it('lets nothing else through', () => {
    const allowed = patterns().flatMap(pattern => (pattern.startsWith('!') ? [pattern.slice(1)] : []));
    expect(allowed.toSorted()).toEqual(copied.toSorted());
    for (const path of ['.env', '.git', 'node_modules', 'dist', 'test', 'docker-compose.yml']) {
      expect(isIgnored(path)).toBe(true);
    }
  });
});

describe('what is copied into it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'demo-image-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it(
    'is enough to build and run the demo, which its health check notices, and which stops when it is told to',
    async () => {
      buildImage(folder);
      const [entrypoint = ''] = argumentsOf('ENTRYPOINT').map(words => words.join(' '));
      const [program, ...args] = JSON.parse(entrypoint) as string[];
      expect(program).toBe('node');
      const options = ['--forever', '--port', '0', '--service-port', '0'];
      const env = { PATH: process.env.PATH };
      await whileRunning(process.execPath, [...args, ...options], { cwd: folder, env }, async (server, output) => {
        const find = (pattern: RegExp): Promise<string> => until(String(pattern), () => pattern.exec(output())?.[1]);
        const metrics = new URL(await find(/(http:\S+\/metrics)/));
        const service = await find(/The service: (http:\S+)/);
        expect(checkHealth(metrics.port)).toBe(0);
        expect(await exemplarLabels(metrics)).toContain(exemplarName());

        const put = await fetch(`${service}/upstream/outage`, { method: 'PUT' });
        expect(await put.text()).toContain('outage');

        server.kill('SIGTERM');
        await until('the end', () => server.exitCode ?? undefined);
        expect(server.exitCode).toBe(0);
        expect(await statusOf(metrics.href)).toBeUndefined();
        expect(checkHealth(metrics.port)).toBe(1);
      });
    },
    PATIENCE_MS,
  );
});

/** Does in a folder what the Dockerfile does in an image; the packages are those that are installed here. */
function buildImage(folder: string): void {
  for (const [keyword, ...words] of instructions) {
    const target = words.at(-1) ?? '';
    if (keyword === 'COPY') {
      for (const source of words.slice(0, -1)) {
        const to = target.endsWith('/') ? join(folder, target, source.split('/').at(-1) ?? '') : join(folder, target);
        cpSync(join(ROOT, source), to, { recursive: true });
      }
    } else if (keyword === 'RUN' && words[0] === 'npm') {
      symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    } else if (keyword === 'RUN') {
      const { status, stderr, stdout } = spawnSync(process.execPath, words.slice(1), { cwd: folder, encoding: 'utf8' });
      expect({ command: words.join(' '), status, printed: status === 0 ? '' : stdout + stderr }).toEqual({
        command: words.join(' '),
        status: 0,
        printed: '',
      });
    }
  }
}

/** The status of the demo's health check, asked at another port. */
function checkHealth(port: string): number | null {
  const [kind, program, ...args] = demo.healthcheck?.test ?? [];
  expect([kind, program]).toEqual(['CMD', 'node']);
  const moved = args.map(argument => argument.replace('127.0.0.1:9464', `localhost:${port}`));
  expect(moved).not.toEqual(args);
  return spawnSync(process.execPath, moved).status;
}

/** The labels of the exemplars that Prometheus gets, once there are some. */
async function exemplarLabels(metrics: URL): Promise<string[]> {
  const labels = await until('an exemplar', async () => {
    const answer = await fetch(metrics, { headers: { accept: 'application/openmetrics-text; version=1.0.0' } });
    return / # \{(.*?)\}/.exec(await answer.text())?.[1];
  });
  return labels.split(',').map(pair => pair.split('=')[0] ?? '');
}

/** The label that Grafana takes for the id of a trace. */
function exemplarName(): unknown {
  const sources = readYaml('dashboards/provisioning/datasources/retryscope.yml');
  const [destinations] = valuesOf(sources, 'exemplarTraceIdDestinations');
  return (destinations as { name: string }[])[0]?.name;
}

function patterns(): string[] {
  return read('.dockerignore')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'));
}

/** As Docker decides it: the last pattern that is about the path, or about a folder above it. */
function isIgnored(path: string): boolean {
  let ignored = false;
  for (const pattern of patterns()) {
    const name = pattern.replace('!', '');
    const isAbout = (part: string): boolean =>
      name === '*' || part === name || (part.includes('/') && isAbout(dirname(part)));
    if (isAbout(path)) ignored = !pattern.startsWith('!');
  }
  return ignored;
}
