import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildFiles } from '../../src/build.ts';
import { resolveConfig } from '../../src/config.ts';
import { Child } from './child.ts';
import { freePort } from './port.ts';
import { waitFor } from './wait.ts';

/** How often the recording scrapes, in seconds: a busy machine would miss some at every second. */
export const SCRAPE_SECONDS = 2;

/** The rules' five minutes are ten seconds of the recording, and their hour is two minutes. */
const TIME_SCALE = 30;

/** A Prometheus of ours over the data of a folder, until it is disposed of. */
export interface Prometheus extends AsyncDisposable {
  readonly url: string;
}

/** Scrapes the demo, and evaluates the rules and alerts that ship, all their durations divided by TIME_SCALE. */
export function startScraping(folder: string, target: string, signal: AbortSignal): Promise<Prometheus> {
  const config = resolveConfig({ timeScale: TIME_SCALE, scrapeInterval: `${SCRAPE_SECONDS}s` });
  const rules = buildFiles(config).filter(({ path }) => path.startsWith('prometheus/'));
  mkdirSync(folder, { recursive: true });
  for (const { path, text } of rules) writeFileSync(join(folder, basename(path)), text);
  return start(folder, signal, {
    global: { scrape_interval: `${SCRAPE_SECONDS}s`, scrape_timeout: `${SCRAPE_SECONDS}s`, evaluation_interval: '1s' },
    rule_files: rules.map(({ path }) => basename(path)),
    scrape_configs: [
      // Named as in the compose file, whatever the port.
      { job_name: 'demo', static_configs: [{ targets: [target], labels: { instance: 'demo:9464' } }] },
    ],
  });
}

/** Answers questions about what was recorded, and adds nothing. */
export function startReading(folder: string, signal: AbortSignal): Promise<Prometheus> {
  return start(folder, signal, {});
}

async function start(folder: string, signal: AbortSignal, config: object): Promise<Prometheus> {
  const file = join(folder, 'prometheus.yml');
  // JSON is YAML as well.
  writeFileSync(file, JSON.stringify(config, null, 2));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = new Child('Prometheus (Debian package prometheus)', 'prometheus', [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--enable-feature=exemplar-storage',
    '--log.level=warn',
  ]);
  try {
    await waitFor('Prometheus to be ready', 60, signal, async () => {
      child.check();
      const answer = await fetch(`${url}/-/ready`, { signal }).catch(() => undefined);
      signal.throwIfAborted();
      return answer?.ok ? true : undefined;
    });
    return { url, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}
