import type { Clock } from '../../engine/clock.ts';
import { guarded } from '../../engine/guarded.ts';
import type { QueueStats } from './dead-letter-store.ts';
import type { QueueCounts, QueueEvent } from './queue-event.ts';

/** What is shown of a queue. */
export interface ReadableQueue {
  readonly name: string;
  /** By which its letters died. */
  readonly clock: Clock;
  /** What has happened in this process. */
  readonly counts: Readonly<QueueCounts>;
  /** Letters that wait in memory for the store. */
  readonly waiting: number;
  /** What is in the store. Rejects when it cannot be reached. */
  stats(): Promise<QueueStats>;
}

/**
 * The queues of the process, for the metrics that show them from the moment they are made, and who is told what happens
 * in them. Shared by all copies of the package, and bounded.
 */
export interface QueueRegistry {
  readonly queues: Set<ReadableQueue>;
  /** Queues that found the registry full. */
  overflow: number;
  /** Told of everything that happens to letters in this process, whatever their queue. */
  readonly listeners: Set<(event: QueueEvent) => void>;
}

/** How many queues are shown. */
export const MAX_QUEUES = 200;

/** The one registry of this process. */
export const queueRegistry: QueueRegistry = /* @__PURE__ */ sharedRegistry();

function sharedRegistry(): QueueRegistry {
  const key = Symbol.for('retryscope.dead-letter-queues.1');
  const shared = globalThis as { [key: symbol]: QueueRegistry | undefined };
  shared[key] ??= { queues: new Set(), overflow: 0, listeners: new Set() };
  return shared[key];
}

/** Shows a queue from now on. */
export function registerQueue(queue: ReadableQueue): void {
  if (queueRegistry.queues.size < MAX_QUEUES) queueRegistry.queues.add(queue);
  else queueRegistry.overflow++;
}

/** Tells all listeners. What one throws is counted, and keeps nothing from the others. */
export function tellListeners(event: QueueEvent): void {
  for (const listener of queueRegistry.listeners) guarded('observer', () => listener(event));
}
