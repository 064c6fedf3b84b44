import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { buildFiles, buildStackFiles } from '../../../dashboards/src/build.ts';
import type { DashboardsConfig } from '../../../dashboards/src/config.ts';
import { freePort } from '../../support/free-port.ts';
import { type Demo, startDemo } from './demo.ts';
import { type Server, startServer } from './server.ts';
import { startWebhook, type Webhook } from './webhook.ts';

/** The demo, and behind it Prometheus, the Alertmanager and somebody who is paged. */
export interface Stack {
  readonly demo: Demo;
  readonly prometheus: Server;
  readonly webhook: Webhook;
  stop(): Promise<void>;
}

/** Starts all of it, with the rules, alerts and routes that the generator makes of `config`. */
export async function startStack(config: DashboardsConfig): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), 'stack-'));
  const demo = await startDemo();
  const webhook = await startWebhook();
  const ports = { prometheus: await freePort(), alertmanager: await freePort() };
  const files = new Map(
    [...buildFiles(config), ...buildStackFiles(config)]
      .filter(({ path }) => path.startsWith('prometheus/'))
      .map(({ path, text }) => [path.slice('prometheus/'.length), text]),
  );
  files.set('prometheus.yml', rewire(files.get('prometheus.yml'), demo.target, ports.alertmanager));
  files.set('alertmanager.yml', addReceiver(files.get('alertmanager.yml'), webhook.url));
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  const alertmanager = await startServer(
    'prometheus-alertmanager',
    [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'alerts')}`,
      `--web.listen-address=127.0.0.1:${ports.alertmanager}`,
      '--cluster.listen-address=',
    ],
    ports.alertmanager,
    '/-/ready',
  );
  const prometheus = await startServer(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${ports.prometheus}`,
      '--enable-feature=exemplar-storage',
      '--log.level=warn',
    ],
    ports.prometheus,
    '/-/ready',
  );
  return {
    demo,
    prometheus,
    webhook,
    stop: async () => {
      await Promise.all([demo.stop(), prometheus.stop(), alertmanager.stop(), webhook.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The addresses of this machine in place of those of the compose stack. */
function rewire(text: string | undefined, target: string, alertmanager: number): string {
  const config = parse(text ?? '') as {
    scrape_configs: { job_name: string; static_configs: object[] }[];
    alerting: object;
  };
  return stringify({
    ...config,
    alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanager}`] }] }] },
    scrape_configs: config.scrape_configs
      .filter(({ job_name }) => job_name === 'demo')
      .map(job => ({ ...job, static_configs: [{ targets: [target] }] })),
  });
}

/** Both receivers tell the same person. */
function addReceiver(text: string | undefined, url: string): string {
  const config = parse(text ?? '') as { receivers: { name: string }[] };
  return stringify({
    ...config,
    receivers: config.receivers.map(({ name }) => ({ name, webhook_configs: [{ url, send_resolved: true }] })),
  });
}
