import { reportFault } from '../../src/engine/faults.ts';
import type { QueueStats } from '../../src/recovery/dead-letters/dead-letter-store.ts';
import type { ReadableQueue } from '../../src/recovery/dead-letters/queue-registry.ts';

/** A store is asked what a queue holds at most so often, in milliseconds, and only while somebody collects. */
export const REFRESH_AFTER_MS = 10_000;

/**
 * An answer that is older than this, in milliseconds, is shown no more, since each one is from the collection before: five
 * minutes, as with Prometheus.
 */
export const OLD_AFTER_MS = 300_000;

/** The same for a store that has failed since: one that is gone must not look full or empty. Also how long it may take to answer. */
export const STALE_AFTER_MS = 60_000;

/**
 * What a queue held when its store last told, unless that was too long ago. Never waits and never throws: the store is
 * asked in the background, so the first collection shows nothing yet. A store that fails, or does not answer, is counted as
 * a fault.
 */
export function levelOf(queue: ReadableQueue): QueueStats | undefined {
  const level = levels.get(queue) ?? newLevel();
  levels.set(queue, level);
  const now = queue.clock.now();
  const since = now - level.askedAt;
  const isLost = level.last === 'asked' && since >= STALE_AFTER_MS;
  if (isLost) reportFault('dead_letter', new Error('The store does not answer'));
  const isSlow = level.last === 'asked' && since >= REFRESH_AFTER_MS;
  const limit = isSlow || level.last === 'failed' ? STALE_AFTER_MS : OLD_AFTER_MS;
  if (isLost || (level.last !== 'asked' && since >= REFRESH_AFTER_MS)) void refresh(queue, level, now);
  return now - level.toldAt < limit ? level.stats : undefined;
}

async function refresh(queue: ReadableQueue, level: Level, now: number): Promise<void> {
  level.askedAt = now;
  level.last = 'asked';
  try {
    const stats = await queue.stats();
    if (level.askedAt !== now) return;
    level.stats = stats;
    level.toldAt = queue.clock.now();
    level.last = 'told';
  } catch (fault) {
    reportFault('dead_letter', fault);
    if (level.askedAt === now) level.last = 'failed';
  }
}

interface Level {
  /** When the store was last asked; an answer to an earlier question comes too late. */
  askedAt: number;
  /** What has come of that. */
  last: 'nothing' | 'asked' | 'told' | 'failed';
  stats: QueueStats | undefined;
  toldAt: number;
}

function newLevel(): Level {
  return { askedAt: -Infinity, last: 'nothing', stats: undefined, toldAt: -Infinity };
}

const levels = new WeakMap<ReadableQueue, Level>();
