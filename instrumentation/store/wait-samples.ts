import { type ReadableWaits, waitRegistry } from '../../src/recovery/durable/wait-registry.ts';
import { LABEL_VALUES, LABELS } from '../names.ts';
import type { Sample } from './sample.ts';
import { cleanLabel } from './store.ts';

/** What happened to calls over long waits. Each series exists from the moment at which its queue is made. */
export function waitSamples(): Sample[] {
  return [...byQueue()].flatMap(([queue, all]) =>
    LABEL_VALUES.durableWaitEvent.map(event => ({
      attributes: { [LABELS.queue]: queue, [LABELS.event]: event },
      value: all.reduce((sum, { counts }) => sum + counts[event], 0),
    })),
  );
}

/** The calls that ended there without a letter, by the name of the queue. */
export function lostInWaits(): Map<string, number> {
  return new Map([...byQueue()].map(([queue, all]) => [queue, all.reduce((sum, { notStored }) => sum + notStored, 0)]));
}

/** What happened in queues of the same name adds up. */
function byQueue(): Map<string, ReadableWaits[]> {
  return Map.groupBy(waitRegistry.waits, ({ queue }) => cleanLabel(queue));
}
