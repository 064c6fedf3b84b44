import { store } from './store.ts';

/**
 * Sets how many retries per call the alerts allow for an operation (`retry_objective_ratio`). Default 0.02.
 *
 * @throws RangeError when `ratio` is not a number from 0 to 100
 */
export function setRetryObjective(operation: string, ratio: number): void {
  if (!(ratio >= 0 && ratio <= 100)) throw new RangeError(`ratio is ${ratio}; it must be a number from 0 to 100`);
  store.cellsOf(operation).objectiveRatio = ratio;
}
