import type { Attributes, Exemplar } from './histogram-cell.ts';

/** One value of a counter or gauge. */
export interface Sample {
  readonly attributes: Attributes;
  readonly value: number;
  /** A call that was counted here, where exemplars are kept. */
  readonly exemplar?: Exemplar | undefined;
}

/** A value of a series. */
export function sample(value: number, attributes: Attributes): Sample {
  return { attributes, value };
}
