import type { Contender, ContenderName } from './contenders.ts';

/** One setting of the literature, and how contenders fare in it. */
export interface Scenario {
  readonly title: string;
  /** When a contender counts as having got through, as a half sentence. */
  readonly criterion: string;
  /** Who is shown beside a policy of one's own. */
  readonly presets: readonly Contender[];
  readonly columns: readonly string[];
  /** What others have published or measured, by the number of processes. */
  readonly published: Readonly<Record<number, Published>>;
  /** `one` where a further run would show the same. */
  readonly runs: 'per seed' | 'one';
  /** How many client processes share the load, where nothing else is asked for; 1 where it makes no difference. */
  readonly processes: number;
  run(contender: Contender, terms: RunTerms): Promise<Outcome>;
}

/** Cells for the first columns, by the name of the contender. */
export type Published = Readonly<Partial<Record<ContenderName, readonly string[]>>>;

/** How a scenario is run. */
export interface RunTerms {
  readonly seeds: readonly number[];
  readonly processes: number;
  /** Told after each run of a contender. */
  readonly onRun?: () => void;
}

/** What a contender made of a scenario. */
export interface Outcome {
  readonly cells: readonly string[];
  /** Whether it got through: the dependency recovered, or was not loaded beyond what it can bear. */
  readonly verdict: 'recovers' | 'does_not_recover';
  /** The numbers behind the cells. */
  readonly numbers: readonly object[];
}

/** The names of the scenarios. */
export type ScenarioName = 'hotos' | 'osdi' | 'brooker' | 'collapse' | 'layers';
