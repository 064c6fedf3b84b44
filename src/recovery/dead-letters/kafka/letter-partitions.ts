import { createHash } from 'node:crypto';
import type { LogEntry } from './projection.ts';

/** The partition in which a letter stays: the same for everybody, as long as there are as many. */
export function partitionOf(id: string, partitions: readonly number[]): number {
  const hash = createHash('sha256').update(id).digest().readUInt32BE(0);
  return partitions[hash % partitions.length] as number;
}

/** Letters by their partition. */
export function inPartitions(entries: readonly LogEntry[]): (readonly [number, LogEntry[]])[] {
  return [...Map.groupBy(entries, ({ partition }) => partition)];
}
