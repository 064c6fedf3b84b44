import type { StoreStats } from 'retryscope/dead-letters';
import { terminalColors } from '../terminal.ts';
import { asJson } from './as-json.ts';
import { sayDuration } from './duration.ts';
import { count, counted, oneLine, sayBytes, tableOf } from './layout.ts';
import { openStore, type StoreOptions } from './open-store.ts';

/** What `retryscope dead-letters stats` is asked for. */
export interface StatsOptions extends StoreOptions {
  readonly json?: boolean;
}

/** Prints how many letters of each state are in each queue. */
export async function stats(options: StatsOptions): Promise<void> {
  await using opened = await openStore(options);
  const found = await opened.store.stats();
  const now = Date.now();
  process.stdout.write(
    options.json === true ? asJson({ store: opened.shown, ...viewOf(found, now) }) : asTable(opened.shown, found, now),
  );
}

function viewOf({ queues, letters, bytes }: StoreStats, now: number): Record<string, unknown> {
  return {
    letters,
    bytes,
    queues: queues.map(queue => ({
      ...queue,
      oldestDiedAt: queue.oldestDiedAt ?? null,
      oldestAgeMs: queue.oldestDiedAt === undefined ? null : Math.max(0, now - queue.oldestDiedAt),
    })),
  };
}

function asTable(shown: string, { queues, letters, bytes }: StoreStats, now: number): string {
  const from = `From ${oneLine(shown)}\n`;
  if (queues.length === 0) return `${from}There are no letters.\n`;
  const { red, yellow } = terminalColors();
  const rows = queues.map(({ queue, dead, claimed, quarantined, redriven, oldestDiedAt, bytes: size }) => [
    oneLine(queue),
    dead === 0 ? '0' : red(count(dead)),
    count(claimed),
    quarantined === 0 ? '0' : yellow(count(quarantined)),
    count(redriven),
    oldestDiedAt === undefined ? '–' : sayDuration(now - oldestDiedAt),
    sayBytes(size),
  ]);
  const head = ['Queue', 'Dead', 'Claimed', 'Quarantined', 'Redriven', 'Oldest', 'Size'];
  const table = tableOf(head, [undefined, 10, 10, 13, 10, 9, 11], rows, [1, 2, 3, 4, 5, 6]);
  return `${from}${table}\n${counted(letters, 'letter')}, ${sayBytes(bytes)}.\n`;
}
