import { type Command, InvalidArgumentError, Option } from 'commander';
import { STOP_REASONS } from '../../src/engine/outcome.ts';
import { LETTER_STATES } from '../../src/recovery/dead-letters/letter.ts';
import { readDuration } from './duration.ts';

/** Gives a command the options that say which letters are meant; those for states only where letters of any state may be. */
export function addFilterOptions(command: Command, which: 'any state' | 'dead'): Command {
  command
    .option('--queue <name>', 'of this queue', oneName)
    .option('--operation <names...>', 'of these operations', names)
    .option('--error-type <type>', 'whose error is of this type, as in the metric label', oneName)
    .addOption(new Option('--reason <reason>', 'that were given up for this reason').choices(STOP_REASONS));
  if (which === 'any state') {
    command.addOption(new Option('--state <states...>', 'in these states').choices(LETTER_STATES));
  }
  return command
    .option('--older-than <duration>', 'that died at least so long ago: 90s, 15m, 2h, 7d, 2w', duration)
    .option('--newer-than <duration>', 'that died at most so long ago', duration)
    .option('--ids <ids...>', 'with these ids', names);
}

function oneName(text: string): string {
  if (text === '' || text.length > LONGEST_NAME) {
    throw new InvalidArgumentError(`It must have 1 to ${LONGEST_NAME} characters.`);
  }
  return text;
}

/** Several values, each an argument of its own. */
function names(text: string, before: readonly string[] = []): string[] {
  return [...before, oneName(text)];
}

function duration(text: string): number {
  const ms = readDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('It must be a duration: 90s, 15m, 2h, 7d or 2w.');
  return ms;
}

const LONGEST_NAME = 200;
