import type { QueueStats } from '../dead-letter-store.ts';
import { queueStatsOf, type StateCount } from '../queue-stats.ts';
import type { Database } from './database.ts';

/** What is in each queue, at a time in milliseconds since 1970. */
export function queueStats(db: Database, now: number): readonly QueueStats[] {
  return queueStatsOf(db.statement(QUERY).all(now) as unknown as readonly StateCount[]);
}

const QUERY = `
  SELECT queue, CASE WHEN state = 'claimed' AND claim_until <= ? THEN 'dead' ELSE state END AS state,
    count(*) AS letters, sum(bytes) AS bytes, min(died_at) AS oldest
  FROM letters GROUP BY 1, 2 ORDER BY 1`;
