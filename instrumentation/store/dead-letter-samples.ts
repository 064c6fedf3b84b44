import type { QueueStats } from '../../src/recovery/dead-letters/dead-letter-store.ts';
import { queueRegistry, type ReadableQueue } from '../../src/recovery/dead-letters/queue-registry.ts';
import { LABEL_VALUES, LABELS, METRICS, type MetricDefinition } from '../names.ts';
import { levelOf } from './queue-levels.ts';
import type { Sample } from './sample.ts';
import { cleanLabel } from './store.ts';
import { lostInWaits } from './wait-samples.ts';

/** The families that queues of dead letters feed. Each series of events exists from the moment at which its queue is made. */
export const DEAD_LETTER_FAMILIES: readonly MetricDefinition[] = [
  METRICS.deadLetters,
  METRICS.deadLetterDepth,
  METRICS.deadLetterOldestAge,
  METRICS.deadLetterQuarantined,
];

/**
 * Reads one of them. What happened to queues of the same name adds up. What they hold does not: they are taken for the
 * same one, as the queue of several processes is.
 */
export function deadLetterSamples(definition: MetricDefinition): Sample[] {
  const queues = Map.groupBy(queueRegistry.queues, ({ name }) => cleanLabel(name));
  if (definition === METRICS.deadLetters) return eventSamples(queues);
  return [...queues].flatMap(([name, all]) => {
    switch (definition) {
      case METRICS.deadLetterDepth:
        return highest(name, all, ({ dead, claimed }) => dead + claimed);
      case METRICS.deadLetterQuarantined:
        return highest(name, all, ({ quarantined }) => quarantined);
      default:
        return highest(name, all, ({ oldestDiedAt }, { clock }) =>
          oldestDiedAt === undefined ? 0 : Math.max(0, clock.wallNow() - oldestDiedAt) / 1000,
        );
    }
  });
}

/** A call that is lost after a long wait counts as a letter that was not stored: in the queue of its waits, for it had no other. */
function eventSamples(queues: ReadonlyMap<string, readonly ReadableQueue[]>): Sample[] {
  const lost = lostInWaits();
  const sample = (name: string, event: string, value: number): Sample => ({
    attributes: { [LABELS.queue]: name, [LABELS.event]: event },
    value: value + (event === NOT_STORED ? (lost.get(name) ?? 0) : 0),
  });
  return [
    ...[...queues].flatMap(([name, all]) =>
      LABEL_VALUES.deadLetterEvent.map(event =>
        sample(
          name,
          event,
          all.reduce((sum, { counts }) => sum + counts[event], 0),
        ),
      ),
    ),
    ...[...lost.keys()].filter(name => !queues.has(name)).map(name => sample(name, NOT_STORED, 0)),
  ];
}

const NOT_STORED: (typeof LABEL_VALUES.deadLetterEvent)[number] = 'not_stored';

/** No sample where no store has told. */
function highest(
  name: string,
  all: readonly ReadableQueue[],
  measure: (stats: QueueStats, queue: ReadableQueue) => number,
): Sample[] {
  const values = all.flatMap(queue => {
    const stats = levelOf(queue);
    return stats === undefined ? [] : [measure(stats, queue)];
  });
  return values.length === 0 ? [] : [{ attributes: { [LABELS.queue]: name }, value: Math.max(...values) }];
}
