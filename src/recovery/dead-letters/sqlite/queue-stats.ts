import type { QueueStats } from '../dead-letter-store.ts';
import type { LetterStateName } from '../letter.ts';
import type { Database } from './database.ts';

/** What is in each queue, at a time in milliseconds since 1970. */
export function queueStats(db: Database, now: number): readonly QueueStats[] {
  const rows = db.statement(QUERY).all(now) as unknown as readonly Row[];
  return [...Map.groupBy(rows, ({ queue }) => queue)].map(([queue, own]) => ({
    queue,
    dead: lettersIn(own, 'dead'),
    claimed: lettersIn(own, 'claimed'),
    redriven: lettersIn(own, 'redriven'),
    quarantined: lettersIn(own, 'quarantined'),
    oldestDiedAt: oldestIn(own),
    bytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
  }));
}

interface Row {
  readonly queue: string;
  readonly state: LetterStateName;
  readonly letters: number;
  readonly bytes: number;
  readonly oldest: number;
}

const QUERY = `
  SELECT queue, CASE WHEN state = 'claimed' AND claim_until <= ? THEN 'dead' ELSE state END AS state,
    count(*) AS letters, sum(bytes) AS bytes, min(died_at) AS oldest
  FROM letters GROUP BY 1, 2 ORDER BY 1`;

function lettersIn(rows: readonly Row[], state: LetterStateName): number {
  return rows.find(row => row.state === state)?.letters ?? 0;
}

function oldestIn(rows: readonly Row[]): number | undefined {
  const open = rows.filter(({ state }) => state === 'dead' || state === 'claimed');
  return open.length === 0 ? undefined : Math.min(...open.map(({ oldest }) => oldest));
}
