import { InvalidArgumentError } from 'commander';

/** Reads an option that is an integer in a range. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most || text.trim() === '') {
      throw new InvalidArgumentError(`It must be an integer from ${least} to ${most}.`);
    }
    return value;
  };
}
