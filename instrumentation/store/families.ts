import { type FaultSource, faultCounts } from '../../src/engine/faults.ts';
import { VERSION } from '../../src/engine/version.ts';
import { limitRegistry } from '../../src/limits/registry.ts';
import { queueRegistry } from '../../src/recovery/dead-letters/queue-registry.ts';
import { LABEL_VALUES, LABELS, METRICS, type MetricDefinition } from '../names.ts';
import { DEAD_LETTER_FAMILIES, deadLetterSamples } from './dead-letter-samples.ts';
import type { HistogramCell } from './histogram-cell.ts';
import { LIMIT_FAMILIES, limitSamples } from './limit-samples.ts';
import type { OperationCells } from './operation-cells.ts';
import { type Sample, sample } from './sample.ts';
import { store } from './store.ts';
import { waitSamples } from './wait-samples.ts';

/** One metric family with what it holds now. */
export type Family =
  | { readonly definition: MetricDefinition; readonly kind: 'counter' | 'gauge'; readonly samples: readonly Sample[] }
  | { readonly definition: MetricDefinition; readonly kind: 'histogram'; readonly cells: readonly HistogramCell[] };

/** The families that the store feeds, in the order in which they are shown. */
export const FED_FAMILIES: readonly MetricDefinition[] = [
  METRICS.calls,
  METRICS.attempts,
  METRICS.retries,
  METRICS.callDuration,
  METRICS.attemptDuration,
  METRICS.delay,
  METRICS.callAttempts,
  METRICS.callsInFlight,
  METRICS.objectiveRatio,
  METRICS.nestedSuppressed,
  ...LIMIT_FAMILIES,
  ...DEAD_LETTER_FAMILIES,
  METRICS.durableWaits,
  METRICS.telemetryErrors,
  METRICS.overflow,
  METRICS.info,
];

/** Reads one family from the cells. */
export function readFamily(definition: MetricDefinition): Family {
  const all = [...store.operations.values()];
  switch (definition) {
    case METRICS.callDuration:
      return histogram(
        definition,
        all.flatMap(cells => [cells.callDuration.success, cells.callDuration.failure]),
      );
    case METRICS.attemptDuration:
      return histogram(
        definition,
        all.flatMap(cells => [cells.attemptDuration.success, cells.attemptDuration.failure]),
      );
    case METRICS.callAttempts:
      return histogram(
        definition,
        all.flatMap(cells => [cells.callAttempts.success, cells.callAttempts.failure]),
      );
    case METRICS.delay:
      return histogram(
        definition,
        all.map(cells => cells.delay),
      );
    default:
      return {
        definition,
        kind: definition.kind === 'counter' ? 'counter' : 'gauge',
        samples: samplesOf(definition, all),
      };
  }
}

function histogram(definition: MetricDefinition, cells: readonly HistogramCell[]): Family {
  return { definition, kind: 'histogram', cells };
}

function samplesOf(definition: MetricDefinition, all: readonly OperationCells[]): Sample[] {
  switch (definition) {
    case METRICS.calls:
      return all.flatMap(({ operation, calls, callExemplars }) =>
        LABEL_VALUES.outcome.map(outcome => ({
          ...sample(calls[outcome], { operation, [LABELS.outcome]: outcome }),
          exemplar: callExemplars[outcome],
        })),
      );
    case METRICS.attempts:
      return all.flatMap(({ operation, attemptsSucceeded, attemptsFailed, attemptExemplars }) => [
        sample(attemptsSucceeded, { operation, [LABELS.result]: 'success' }),
        ...[...attemptsFailed].map(([errorType, count]) => ({
          ...sample(count, { operation, [LABELS.result]: 'failure', [LABELS.errorType]: errorType }),
          exemplar: attemptExemplars.get(errorType),
        })),
      ]);
    case METRICS.retries:
      return all.flatMap(({ operation, retries }) =>
        LABEL_VALUES.delaySource.map(source => sample(retries[source], { operation, [LABELS.delaySource]: source })),
      );
    case METRICS.callsInFlight:
      return all.flatMap(({ operation, inAttempt, waiting }) => [
        sample(inAttempt, { operation, [LABELS.phase]: 'attempt' }),
        sample(waiting, { operation, [LABELS.phase]: 'waiting' }),
      ]);
    case METRICS.objectiveRatio:
      return all.map(({ operation, objectiveRatio }) => sample(objectiveRatio, { operation }));
    case METRICS.nestedSuppressed:
      return all.map(({ operation, calls }) => sample(calls.already_retried, { operation }));
    case METRICS.telemetryErrors:
      return faultSources().map(source => sample(faultCounts().get(source) ?? 0, { [LABELS.source]: source }));
    case METRICS.overflow:
      return LABEL_VALUES.overflowSource.map(source => sample(overflow(source), { [LABELS.source]: source }));
    case METRICS.durableWaits:
      return waitSamples();
    case METRICS.info:
      return [sample(1, { [LABELS.version]: VERSION })];
    default:
      return DEAD_LETTER_FAMILIES.includes(definition) ? deadLetterSamples(definition) : limitSamples(definition);
  }
}

function overflow(source: (typeof LABEL_VALUES.overflowSource)[number]): number {
  if (source === 'limit') return limitRegistry.overflow;
  return source === 'queue' ? queueRegistry.overflow : store.overflow[source];
}

/** All of them, those without a fault too: an alert sees the first fault only where a 0 was before. */
function faultSources(): string[] {
  const known: readonly FaultSource[] = LABEL_VALUES.faultSource;
  return [...new Set<string>([...known, ...faultCounts().keys()])];
}
