import { lateResults } from '../../src/engine/late-results.ts';
import type { BreakerState } from '../../src/limits/breaker-state.ts';
import type { BudgetState } from '../../src/limits/budget-state.ts';
import { limitRegistry } from '../../src/limits/registry.ts';
import { LABEL_VALUES, LABELS, METRICS, type MetricDefinition } from '../names.ts';
import { type Sample, sample } from './sample.ts';
import { cleanLabel, store } from './store.ts';

/** The families that limits feed. Each series exists from the moment at which its budget or breaker is made. */
export const LIMIT_FAMILIES: readonly MetricDefinition[] = [
  METRICS.lateResults,
  METRICS.budgetTokens,
  METRICS.budgetCapacity,
  METRICS.budgetMode,
  METRICS.budgetWithdrawals,
  METRICS.breakerState,
  METRICS.breakerTransitions,
  METRICS.breakerStateSeconds,
  METRICS.breakerCalls,
];

/** Reads one of them. Budgets or breakers of the same name add up to one. */
export function limitSamples(definition: MetricDefinition): Sample[] {
  switch (definition) {
    case METRICS.lateResults:
      return lateSamples();
    case METRICS.budgetTokens:
      return byBudget((name, all) => [
        sample(
          sum(all, budget => budget.balance),
          { [LABELS.budget]: name },
        ),
      ]);
    case METRICS.budgetCapacity:
      return byBudget((name, all) => [
        sample(
          sum(all, budget => budget.capacity),
          { [LABELS.budget]: name },
        ),
      ]);
    case METRICS.budgetMode:
      return byBudget((name, all) =>
        LABEL_VALUES.mode.map(mode =>
          sample(
            anyOf(all, budget => budget.mode === mode),
            { [LABELS.budget]: name, [LABELS.mode]: mode },
          ),
        ),
      );
    case METRICS.budgetWithdrawals:
      return byBudget((name, all) =>
        LABEL_VALUES.decision.map(decision =>
          sample(
            sum(all, budget => budget[decision]),
            { [LABELS.budget]: name, [LABELS.decision]: decision },
          ),
        ),
      );
    case METRICS.breakerState:
      return byBreaker((name, all) =>
        LABEL_VALUES.breakerState.map(state =>
          sample(
            anyOf(all, breaker => breaker.at === state),
            { [LABELS.breaker]: name, [LABELS.state]: state },
          ),
        ),
      );
    case METRICS.breakerTransitions:
      return byBreaker((name, all) =>
        LABEL_VALUES.breakerState.map(to =>
          sample(
            sum(all, breaker => breaker.transitions[to]),
            { [LABELS.breaker]: name, [LABELS.to]: to },
          ),
        ),
      );
    case METRICS.breakerStateSeconds:
      return byBreaker((name, all) =>
        LABEL_VALUES.breakerState.map(state =>
          sample(
            sum(all, breaker => breaker.millisecondsIn[state] / 1000),
            {
              [LABELS.breaker]: name,
              [LABELS.state]: state,
            },
          ),
        ),
      );
    case METRICS.breakerCalls:
      return byBreaker((name, all) =>
        LABEL_VALUES.breakerResult.map(result =>
          sample(
            sum(all, breaker => breaker.calls[result]),
            { [LABELS.breaker]: name, [LABELS.result]: result },
          ),
        ),
      );
    default:
      return [];
  }
}

function lateSamples(): Sample[] {
  const late = lateResults();
  const operations = new Set([...store.operations.keys(), ...late.keys()]);
  return [...operations].flatMap(operation =>
    LABEL_VALUES.result.map(result =>
      sample(late.get(operation)?.[result] ?? 0, {
        [LABELS.operation]: cleanLabel(operation),
        [LABELS.result]: result,
      }),
    ),
  );
}

function byBudget(samplesOf: (name: string, all: readonly BudgetState[]) => Sample[]): Sample[] {
  const states = [...limitRegistry.budgets].map(budget => budget.state);
  return [...byName(states)].flatMap(([name, all]) => samplesOf(name, all));
}

function byBreaker(samplesOf: (name: string, all: readonly BreakerState[]) => Sample[]): Sample[] {
  const states = [...limitRegistry.breakers].map(breaker => breaker.state);
  return [...byName(states)].flatMap(([name, all]) => samplesOf(name, all));
}

function byName<State extends { readonly name: string }>(states: readonly State[]): Map<string, State[]> {
  return Map.groupBy(states, state => cleanLabel(state.name));
}

function sum<State>(all: readonly State[], amountOf: (state: State) => number): number {
  return all.reduce((total, state) => total + amountOf(state), 0);
}

function anyOf<State>(all: readonly State[], isSo: (state: State) => boolean): number {
  return all.some(isSo) ? 1 : 0;
}
