import { read } from '../../../engine/read.ts';
import type { QueueStats, StoreStats } from '../dead-letter-store.ts';
import { type FoundLetter, foundLetter } from './letter-record.ts';

/** What a script that looks for letters answers. */
export interface FoundLetters {
  /** Redis' time. */
  readonly now: number;
  /** Where to go on; empty at the end. */
  readonly cursor: string;
  readonly found: readonly FoundLetter[];
}

/** Reads the reply of the scripts that give letters. */
export function readFound(reply: unknown): FoundLetters {
  const [now, cursor, ...rest] = textsOf(reply);
  const time = Number(now);
  const found = rest.flatMap((record, i) => (i % 2 === 0 ? [foundLetter(record, rest[i + 1] ?? '', time)] : []));
  return { now: time, cursor: cursor ?? '', found };
}

/** Reads the reply of the script for statistics. */
export function readStats(reply: unknown): StoreStats {
  const [all, ended, oldest] = [textsOf(read(reply, 0)), textsOf(read(reply, 1)), textsOf(read(reply, 2))];
  const totals = new Map(pairsIn(all).map(([name, value]) => [name, Number(value)]));
  const diedAt = new Map(pairsIn(oldest).map(([queue, place]) => [queue, Number(place.slice(0, DIGITS))]));
  const queues = [...totals.keys()]
    .filter(name => name.startsWith(BYTES))
    .map(name => name.slice(BYTES.length))
    .sort()
    .map((queue): QueueStats => {
      const count = (name: string): number => totals.get(`${name}:${queue}`) ?? 0;
      const over = ended.filter(one => one === queue).length;
      return {
        queue,
        dead: count('dead') + over,
        claimed: count('claimed') - over,
        redriven: count('redriven'),
        quarantined: count('quarantined'),
        oldestDiedAt: diedAt.get(queue),
        bytes: count('bytes'),
      };
    });
  return { queues, letters: totals.get('letters') ?? 0, bytes: totals.get('bytes') ?? 0 };
}

/** The items of a reply as texts: a client may give buffers, and numbers in several types. */
export function textsOf(reply: unknown): readonly string[] {
  if (!Array.isArray(reply)) throw new TypeError('The reply of Redis is not that of a script of the store');
  return reply.map(String);
}

const BYTES = 'bytes:';
const DIGITS = 16;

function pairsIn(list: readonly string[]): [string, string][] {
  return list.flatMap((name, i): [string, string][] => (i % 2 === 0 ? [[name, list[i + 1] ?? '']] : []));
}
