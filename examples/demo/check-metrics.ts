import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Runs the demo shortly, scrapes its /metrics while it runs, and has `promtool check metrics` read them (Debian
 * package `prometheus`). In CI the tool may not be missing.
 */
const SECONDS = 8;

const demo = spawn(
  process.execPath,
  [join(import.meta.dirname, 'main.ts'), '--seconds', String(SECONDS), '--port', '0'],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
const ended = new Promise<number | null>(resolve => {
  demo.once('exit', resolve);
});
const address = await addressOf(demo);
const metrics = await scrapeUntil(
  address,
  text =>
    /retry_calls_total\{[^}]*outcome="success_after_retry"[^}]*\} [1-9]/.test(text) &&
    // A store is asked what it holds in the background, after the first scrape.
    text.includes('retry_dead_letter_depth{'),
);
const status = await ended;
if (status !== 0) fail(`The demo ended with status ${status}`);
for (const family of [
  'retry_calls_total',
  'retry_attempts_total',
  'retry_call_duration_seconds_bucket',
  'retry_delay_seconds_sum',
  'retry_dead_letters_total',
  'retry_dead_letter_oldest_age_seconds',
  'retry_dead_letter_quarantined',
]) {
  if (!metrics.includes(`${family}{`)) fail(`/metrics does not show ${family}`);
}
checkWithPromtool(metrics);

function checkWithPromtool(text: string): void {
  const {
    error,
    status: verdict,
    stdout,
    stderr,
  } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (error !== undefined) {
    if (process.env.CI) fail('promtool is missing: install the Debian package prometheus');
    console.log('promtool is missing. Checks skipped: 1');
    return;
  }
  if (verdict !== 0) fail(`promtool check metrics: ${stdout}${stderr}`);
  console.log(`promtool check metrics: ${text.split('\n').length} lines of ${address} passed`);
}

/** The demo prints it; what it prints later has to be read as well, or it would find nobody at the other end. */
function addressOf(child: ChildProcess): Promise<string> {
  let output = '';
  return new Promise(resolve => {
    child.stdout?.on('data', chunk => {
      output += chunk;
      const found = /http:\/\/\S+\/metrics/.exec(output);
      if (found !== null) resolve(found[0]);
    });
    child.stdout?.once('end', () => {
      if (!output.includes('/metrics')) fail('The demo printed no address of /metrics');
    });
  });
}

/** As long as the demo runs: a busy machine takes its time. */
async function scrapeUntil(url: string, isEnough: (text: string) => boolean): Promise<string> {
  for (;;) {
    const text = await textOf(url);
    if (text === undefined) return fail('/metrics shows no call that recovered');
    if (isEnough(text)) return text;
    await delay(200);
  }
}

/** Undefined where nobody serves it any more. */
async function textOf(url: string): Promise<string | undefined> {
  try {
    return await (await fetch(url)).text();
  } catch {
    return undefined;
  }
}

function fail(why: string): never {
  console.error(why);
  demo.kill();
  process.exit(1);
}
