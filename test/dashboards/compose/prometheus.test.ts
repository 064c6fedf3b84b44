import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { type ComposeService, mountsOf, ROOT, serviceNamed } from './stack.ts';
import { itWith, statusOf, until, whileRunning } from './tools.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'compose-prometheus-'));
});
afterEach(() => rmSync(data, { recursive: true }));

itWith('prometheus', 'starts a Prometheus as the compose file does, with its rules, until it is healthy', async () => {
  await start('prometheus', 'prometheus', async address => {
    const { groups } = await dataOf<{ groups: { rules: { health: string; type: string }[] }[] }>(
      `${address}/api/v1/rules`,
    );
    const types = groups.flatMap(({ rules }) => rules.map(({ type }) => type));
    expect(new Set(types)).toEqual(new Set(['recording', 'alerting']));
    const flags = await dataOf<Record<string, string>>(`${address}/api/v1/status/flags`);
    expect(flags['enable-feature']).toBe('exemplar-storage');
    expect(flags['web.enable-lifecycle']).toBe('false');
  });
});

itWith('prometheus-alertmanager', 'starts an Alertmanager as the compose file does, until it is healthy', async () => {
  await start('alertmanager', 'prometheus-alertmanager', async address => {
    const response = await fetch(`${address}/api/v2/status`);
    const { config } = (await response.json()) as { config: { original: string } };
    expect(config.original).toContain('receiver: page');
  });
});

/** Runs the program of Debian with the arguments of a service, and asks its health check when to begin. */
async function start(name: string, program: string, work: (address: string) => Promise<void>): Promise<void> {
  const service = serviceNamed(name);
  const port = await freePort();
  const args = (service.command ?? []).map(argument => onThisMachine(service, argument));
  const listen = `--web.listen-address=127.0.0.1:${port}`;
  await whileRunning(program, [...args, listen], { cwd: data }, async () => {
    const check = new URL(service.healthcheck?.test.at(-1) ?? '');
    check.port = String(port);
    await until('a healthy server', async () => ((await statusOf(check.href)) === 200 ? true : undefined));
    await work(check.origin);
  });
}

/** An argument with the paths of the repository instead of those of the container, and a folder for each volume. */
function onThisMachine(service: ComposeService, argument: string): string {
  const withPorts = argument.replace(/\$\{\w+:-(\d+)\}/, '$1');
  for (const { source, target } of mountsOf(service)) {
    const here = source.startsWith('./') ? join(ROOT, source) : join(data, source);
    const moved = withPorts.replace(`=${target}`, `=${here}`);
    if (moved !== withPorts) return moved;
  }
  return withPorts;
}

async function dataOf<T>(url: string): Promise<T> {
  const response = await fetch(url);
  return ((await response.json()) as { data: T }).data;
}
