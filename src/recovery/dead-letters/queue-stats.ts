import type { QueueStats } from './dead-letter-store.ts';
import type { LetterStateName } from './letter.ts';

/** What a store has counted of the letters of one queue in one state. */
export interface StateCount {
  readonly queue: string;
  readonly state: LetterStateName;
  readonly letters: number;
  readonly bytes: number;
  /** When the oldest of them died. */
  readonly oldest: number;
}

/** One row for each queue, in the order in which the counts come. */
export function queueStatsOf(counts: readonly StateCount[]): readonly QueueStats[] {
  return [...Map.groupBy(counts, ({ queue }) => queue)].map(([queue, own]) => ({
    queue,
    dead: lettersIn(own, 'dead'),
    claimed: lettersIn(own, 'claimed'),
    redriven: lettersIn(own, 'redriven'),
    quarantined: lettersIn(own, 'quarantined'),
    oldestDiedAt: oldestIn(own),
    bytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
  }));
}

function lettersIn(counts: readonly StateCount[], state: LetterStateName): number {
  return counts.find(count => count.state === state)?.letters ?? 0;
}

function oldestIn(counts: readonly StateCount[]): number | undefined {
  const open = counts.filter(({ state }) => state === 'dead' || state === 'claimed');
  return open.length === 0 ? undefined : Math.min(...open.map(({ oldest }) => oldest));
}
