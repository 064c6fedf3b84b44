import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { PreviewOptions } from '../options.ts';
import { type Demo, startDemo, type Upstream } from './demo.ts';
import { type Prometheus, SCRAPE_SECONDS, startScraping } from './prometheus.ts';
import { RECORDING_FILE, type Recording } from './recording.ts';
import { waitFor } from './wait.ts';

/** A series and its value now, as Prometheus' HTTP API has it. */
interface Sample {
  readonly value: readonly [time: number, value: string];
}

/** What the first rates need before they say anything, in seconds. */
const WARM_UP = 20;

/** Runs the demo through health, trouble and outage, with a Prometheus that scrapes it, and leaves the data in `folder`. */
export async function record(
  root: string,
  folder: string,
  lengths: Pick<PreviewOptions, 'healthy' | 'flaky' | 'outage'>,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Recording> {
  await using demo = await startDemo(root, signal);
  await demo.setUpstream('healthy');
  await using prometheus = await startScraping(folder, demo.target, signal);
  await waitFor('the calls of the demo in Prometheus', 60, signal, () => hasCalls(prometheus, demo, signal));
  await delay(WARM_UP * 1000, undefined, { signal });

  const started = await live('healthy', lengths.healthy);
  const troubled = await live('flaky', lengths.flaky);
  const broken = await live('outage', lengths.outage);
  const ended = now();
  const missed = await ask(
    prometheus,
    `count_over_time(up[${ended - started}s]) - sum_over_time(up[${ended - started}s])`,
    signal,
  );
  if (Number(missed[0]?.value[1]) > 0)
    say(`${missed[0]?.value[1]} scrapes failed: the machine was busy, and the graphs have gaps there`);

  // What is seen of the outage begins in health, so that the fall is seen.
  const before = Math.min(lengths.healthy, lengths.outage);
  const recording: Recording = {
    scrapeSeconds: SCRAPE_SECONDS,
    ranges: {
      healthy: { from: started, to: troubled },
      outage: { from: Math.max(started, troubled - before), to: ended },
    },
    outageAt: broken,
  };
  // Last, so that a recording that was interrupted does not look like one.
  writeFileSync(join(folder, RECORDING_FILE), `${JSON.stringify(recording, null, 2)}\n`);
  return recording;

  async function live(upstream: Upstream, seconds: number): Promise<number> {
    if (seconds > 0) say(`The upstream is ${upstream} for ${seconds} s`);
    await demo.setUpstream(upstream);
    const at = now();
    await delay(seconds * 1000, undefined, { signal });
    demo.check();
    return at;
  }
}

async function hasCalls(prometheus: Prometheus, demo: Demo, signal: AbortSignal): Promise<true | undefined> {
  demo.check();
  return (await ask(prometheus, 'count(retry_calls_total)', signal)).length > 0 ? true : undefined;
}

async function ask({ url }: Prometheus, query: string, signal: AbortSignal): Promise<readonly Sample[]> {
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`, { signal });
  const { data } = (await answer.json()) as { data: { result: readonly Sample[] } };
  return data.result;
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
