import { guarded } from '../../engine/guarded.ts';
import { MAX_QUEUES, queueRegistry } from '../dead-letters/queue-registry.ts';
import type { WaitCounts, WaitEvent } from './waits-options.ts';

/** What is shown of the calls over long waits of one queue. */
export interface ReadableWaits {
  /** The name of the queue. */
  readonly queue: string;
  /** What has happened in this process. */
  readonly counts: Readonly<WaitCounts>;
  /** Jobs that were refused, and of which there is no letter. */
  readonly notStored: number;
}

/** The durable waits of the process, for the metrics, and who is told of them. Shared by all copies of the package, and bounded. */
export interface WaitRegistry {
  readonly waits: Set<ReadableWaits>;
  /** Told of everything that happens to calls over long waits in this process, whatever their queue. */
  readonly listeners: Set<(event: WaitEvent) => void>;
}

/** The one registry of this process. */
export const waitRegistry: WaitRegistry = /* @__PURE__ */ sharedRegistry();

function sharedRegistry(): WaitRegistry {
  const key = Symbol.for('retryscope.durable-waits.1');
  const shared = globalThis as { [key: symbol]: WaitRegistry | undefined };
  shared[key] ??= { waits: new Set(), listeners: new Set() };
  return shared[key];
}

/** Shows them from now on. */
export function registerWaits(waits: ReadableWaits): void {
  if (waitRegistry.waits.size < MAX_QUEUES) waitRegistry.waits.add(waits);
  else queueRegistry.overflow++;
}

/** Tells all listeners. What one throws is counted, and keeps nothing from the others. */
export function tellWaitListeners(event: WaitEvent): void {
  for (const listener of waitRegistry.listeners) guarded('observer', () => listener(event));
}
