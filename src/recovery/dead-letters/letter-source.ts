import { read } from '../../engine/read.ts';
import type { LetterSource } from './letter.ts';

/**
 * What a letter may say of a source: the known fields alone, each of its type and bounded, for the caller may have given any
 * value at all. Undefined where there is no topic. Never throws.
 */
export function letterSource(given: unknown): LetterSource | undefined {
  const [topic, partition, offset] = [read(given, 'topic'), read(given, 'partition'), read(given, 'offset')];
  if (typeof topic !== 'string' || topic === '') return undefined;
  const place = offsetText(offset);
  return {
    topic: topic.slice(0, LONGEST_TOPIC),
    ...(Number.isSafeInteger(partition) ? { partition: partition as number } : undefined),
    ...(place === undefined ? undefined : { offset: place }),
  };
}

const LONGEST_TOPIC = 249;
const LONGEST_OFFSET = 64;
/** What eight bytes hold: the offsets of every log that counts. */
const LARGEST_OFFSET = 2n ** 64n;

/** Clients of Kafka give offsets as text or as a BigInt. */
function offsetText(offset: unknown): string | undefined {
  if (typeof offset === 'string') return offset.length <= LONGEST_OFFSET ? offset : undefined;
  if (typeof offset === 'bigint') return offset > -LARGEST_OFFSET && offset < LARGEST_OFFSET ? `${offset}` : undefined;
  return Number.isSafeInteger(offset) ? String(offset) : undefined;
}
