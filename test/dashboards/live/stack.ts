import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, getPriority, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { buildFiles, buildStackFiles } from '../../../dashboards/src/build.ts';
import type { DashboardsConfig } from '../../../dashboards/src/config.ts';
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
  await using started = new AsyncDisposableStack();
  started.defer(goFirst());
  const folder = mkdtempSync(join(tmpdir(), 'stack-'));
  started.defer(() => rmSync(folder, { recursive: true, force: true }));
  const demo = await startDemo();
  started.defer(() => demo.stop());
  const webhook = await startWebhook();
  started.defer(() => webhook.close());
  const files = new Map(
    [...buildFiles(config), ...buildStackFiles(config)]
      .filter(({ path }) => path.startsWith('prometheus/'))
      .map(({ path, text }) => [path.slice('prometheus/'.length), text]),
  );
  files.set('alertmanager.yml', addReceiver(files.get('alertmanager.yml'), webhook.url));
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  const alertmanager = await startServer(
    'prometheus-alertmanager',
    port => [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'alerts')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    '/-/ready',
  );
  started.defer(() => alertmanager.stop());
  writeFileSync(
    join(folder, 'prometheus.yml'),
    rewire(files.get('prometheus.yml'), demo.target, new URL(alertmanager.url).host),
  );
  const prometheus = await startServer(
    'prometheus',
    port => [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
      '--log.level=warn',
    ],
    '/-/ready',
  );
  started.defer(() => prometheus.stop());
  // From here on they end with the test; before, with whatever went wrong: the demo would run for ever.
  const all = started.move();
  return { demo, prometheus, webhook, stop: () => all.disposeAsync() };
}

/**
 * How soon somebody is paged is measured by the clock, and a scrape that takes longer than the time between two of them
 * is none: where that is allowed, this process and those that it starts go before whatever else the machine has to do.
 */
function goFirst(): () => void {
  const before = getPriority();
  try {
    setPriority(constants.priority.PRIORITY_ABOVE_NORMAL);
  } catch {
    // Not everybody may.
  }
  return () => setPriority(before);
}

/** The addresses of this machine in place of those of the compose stack. */
function rewire(text: string | undefined, target: string, alertmanager: string): string {
  const config = parse(text ?? '') as {
    scrape_configs: { job_name: string; static_configs: object[] }[];
    alerting: object;
  };
  return stringify({
    ...config,
    alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
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
