import { type Browser, chromium } from 'playwright-core';
import type { Theme } from '../options.ts';
import type { DashboardReport } from '../page/report.ts';
import type { Range } from '../recording/recording.ts';

/** A page to take a picture of. */
export interface Shot {
  readonly dashboard: string;
  readonly theme: Theme;
  readonly range: Range;
  readonly scrapeSeconds: number;
  readonly prometheus: string;
}

/** Pixels; the height is the dashboard's own. */
const WIDTH = 1400;

/** How long a dashboard may take to be drawn, in milliseconds. */
const PATIENCE = 60_000;

/** Debian's Chromium, or another that is named by CHROMIUM. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // Chromium has no sandbox for root.
    chromiumSandbox: process.getuid?.() !== 0,
    // Signals are main.ts's affair: it has more to clean up than a browser.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    args: [
      ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync', '--force-color-profile=srgb'],
    ],
  });
}

/** Where the page shows this. */
export function addressOf(page: string, { range, ...rest }: Shot): string {
  const query = new URLSearchParams(
    Object.entries({ ...rest, ...range }).map(([name, value]) => [name, String(value)]),
  );
  return `${page}/?${query}`;
}

/**
 * Opens the page, waits until every panel is drawn, and takes a picture of all of it.
 *
 * @throws Error with what the page wrote, when it fails or takes too long
 */
export async function takePicture(
  browser: Browser,
  page: string,
  shot: Shot,
): Promise<{ png: Buffer; report: DashboardReport }> {
  const context = await browser.newContext({
    viewport: { width: WIDTH, height: 900 },
    timezoneId: 'UTC',
    locale: 'en-US',
    colorScheme: shot.theme,
    reducedMotion: 'reduce',
  });
  const complaints: string[] = [];
  try {
    const tab = await context.newPage();
    tab.on('pageerror', error => complaints.push(String(error.stack)));
    tab.on('response', response => {
      if (!response.ok()) complaints.push(`${response.status()} for ${response.url()}`);
    });
    tab.on('console', message => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    const broken = tab.waitForEvent('pageerror', { timeout: 0 }).then(error => Promise.reject(error));
    // It also ends with the page, and then nobody waits for it any more.
    broken.catch(() => undefined);
    await tab.goto(addressOf(page, shot));
    await Promise.race([tab.waitForFunction(() => 'report' in globalThis, undefined, { timeout: PATIENCE }), broken]);
    const report = await tab.evaluate(() => (globalThis as unknown as { report: DashboardReport }).report);
    // Chromium skips what it takes for off screen, tables among it: the screen is made as high as the page.
    const height = await tab.evaluate(() => document.documentElement.scrollHeight);
    await tab.setViewportSize({ width: WIDTH, height });
    const png = await tab.screenshot({ animations: 'disabled' });
    if (complaints.length > 0) throw new Error('The page complained');
    return { png, report };
  } catch (error) {
    throw new Error(`${shot.dashboard} could not be drawn. ${String(error)}\n${complaints.join('\n')}`, {
      cause: error,
    });
  } finally {
    await context.close();
  }
}
