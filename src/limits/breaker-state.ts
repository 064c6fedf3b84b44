import type { AttemptVerdict } from '../engine/limits.ts';

/** What a breaker is doing now, and has done since it was made. */
export interface BreakerState {
  readonly name: string;
  readonly at: BreakerStateName;
  readonly calls: Readonly<Record<BreakerResult, number>>;
  /** Changes of state, by the state that was entered. */
  readonly transitions: Readonly<Record<BreakerStateName, number>>;
  /** Time spent in each state, the present stay included. */
  readonly millisecondsIn: Readonly<Record<BreakerStateName, number>>;
}

/** The states of a circuit. */
export type BreakerStateName = 'closed' | 'open' | 'half_open' | 'forced_open';

/** What became of attempts that asked a breaker: `rejected` were not made. */
export type BreakerResult = AttemptVerdict | 'rejected';
