import type { Result } from './measure.ts';

/** A limit that one contender has to keep, as a ratio to the first of its section. */
export interface Gate {
  /** The contender's name. */
  readonly contender: string;
  /** What it is to be. */
  readonly limit: number;
}

/** What one section brought. */
export interface SectionReport {
  readonly title: string;
  readonly unit: string;
  readonly results: readonly Result[];
  readonly gates: readonly Gate[];
}

/** Hands a section's report, of one table or several, to the process that started it. */
export function report(...tables: readonly SectionReport[]): void {
  if (process.send === undefined) console.log(JSON.stringify(tables, undefined, 2));
  else process.send(tables);
}
