import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bundlePage } from './camera/bundle.ts';
import { addressOf, openBrowser, type Shot, takePicture } from './camera/camera.ts';
import { withPalette } from './camera/png.ts';
import { servePage } from './camera/server.ts';
import { sourcesOf } from './camera/sources.ts';
import { HELP, type PreviewOptions, readOptions, type Theme } from './options.ts';
import type { DashboardReport } from './page/report.ts';
import { startReading } from './recording/prometheus.ts';
import { record } from './recording/record.ts';
import { type Recording, readRecording, type State } from './recording/recording.ts';
import { TemporaryFolder } from './temporary.ts';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '../..');
const DASHBOARDS = join(HERE, '../grafana');
const FONTS = join(HERE, 'node_modules/@fontsource/inter/files');
const STATES: readonly State[] = ['healthy', 'outage'];

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => stop.abort(new Error(`Stopped by ${name}`)));
}
try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') say(HELP);
  else await preview(options);
} catch (error) {
  process.stderr.write(`${stop.signal.aborted ? String(stop.signal.reason) : (error as Error).stack}\n`);
  process.exitCode = 1;
}

async function preview(options: PreviewOptions): Promise<void> {
  using temporary = new TemporaryFolder();
  const page = join(temporary.path, 'page');
  // First, and not after minutes of recording: what is wrong with the page or the browser is seen at once.
  await bundlePage(page);
  await (await openBrowser()).close();
  const folder = options.recording === undefined ? join(temporary.path, 'recording') : resolve(options.recording);
  let recording = readRecording(folder);
  if (recording === undefined) {
    say(`Recording: ${options.healthy + options.flaky + options.outage} s, and some to start`);
    recording = await record(ROOT, folder, options, say, stop.signal);
  } else {
    say(`Taking the recording in ${folder}`);
  }
  await using prometheus = await startReading(folder, stop.signal);
  await using server = await servePage([
    ['/dashboards/', DASHBOARDS],
    ['/public/build/', join(HERE, 'node_modules/@grafana/ui/dist/public')],
    // Where @grafana/ui looks for Grafana's font.
    ['/public/fonts/inter/Inter-Regular.woff2', join(FONTS, 'inter-latin-400-normal.woff2')],
    ['/public/fonts/inter/Inter-Medium.woff2', join(FONTS, 'inter-latin-500-normal.woff2')],
    ['/', page],
    ['/', join(HERE, 'page')],
  ]);
  await takePictures(options, recording, prometheus.url, server.url);
  if (options.stay === 'on') {
    say('Serving until Ctrl-C');
    await delay(2 ** 31 - 1, undefined, { signal: stop.signal }).catch(() => undefined);
  }
}

async function takePictures(
  { themes, out = join(HERE, 'pictures') }: PreviewOptions,
  { ranges, scrapeSeconds }: Recording,
  prometheus: string,
  page: string,
): Promise<void> {
  mkdirSync(out, { recursive: true });
  const dashboards = readdirSync(DASHBOARDS).flatMap(file => /^(.+)\.json$/.exec(file)?.[1] ?? []);
  await using browser = await openBrowser();
  const closeAtOnce = (): void => void browser.close();
  stop.signal.addEventListener('abort', closeAtOnce);
  let failures = 0;
  for (const theme of themes) {
    for (const state of STATES) {
      for (const dashboard of dashboards) {
        const shot: Shot = { dashboard, theme, range: ranges[state], scrapeSeconds, prometheus };
        say(`${dashboard}, ${state}, ${theme}: ${addressOf(page, shot)}`);
        const { png, report } = await takePicture(browser, page, shot);
        const small = withPalette(png);
        const file = join(out, nameOf(dashboard, state, theme));
        writeFileSync(file, small);
        failures += tell(report);
        say(`  ${file}: ${Math.round(small.length / 1024)} kB`);
      }
    }
  }
  stop.signal.removeEventListener('abort', closeAtOnce);
  writeFileSync(join(out, 'SOURCES.json'), `${JSON.stringify(sourcesOf(DASHBOARDS, dashboards), null, 2)}\n`);
  if (failures > 0) throw new Error(`${failures} panels, variables or annotations failed; see above`);
  say(`${themes.length * STATES.length * dashboards.length} pictures in ${out}`);
}

/** Dark is the one that is shown; light has it in its name. */
function nameOf(dashboard: string, state: State, theme: Theme): string {
  return `${dashboard}-${state}${theme === 'dark' ? '' : `-${theme}`}.png`;
}

/** Says what became of the panels, and returns how many failures there are. */
function tell({ panels, problems }: DashboardReport): number {
  const groups = Map.groupBy(panels, ({ became }) => became);
  say(`  ${[...groups].map(([became, { length }]) => `${length} ${became}`).join(', ')}`);
  for (const became of ['empty', 'absent', 'failed'] as const) {
    for (const { title, why } of groups.get(became) ?? []) say(`    ${became}: ${title}${why ? ` (${why})` : ''}`);
  }
  for (const problem of problems) say(`    failed: ${problem}`);
  return problems.length + (groups.get('failed')?.length ?? 0);
}
