#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { VERSION } from '../src/engine/version.ts';
import { UsageError } from './usage-error.ts';

/** What the process ends with. */
const EXIT = { ok: 0, failed: 1, wrongUsage: 2 } as const;

const program = new Command('retryscope')
  .description('Tools for the retries of your services.')
  .version(VERSION)
  .exitOverride()
  .showSuggestionAfterError();

program
  .command('simulate')
  .description('Shows how a retry policy fares in the storms of the literature, beside the policies of others.')
  .requiredOption('--policy <file>', 'the policy, as JSON; see below')
  .addOption(
    new Option('--scenario <name>', 'the storm')
      .choices(['hotos', 'osdi', 'brooker', 'collapse', 'layers'])
      .default('hotos'),
  )
  .option('--seeds <number>', 'how many runs of each policy', wholeNumber(1, 100), 3)
  .option(
    '--processes <number>',
    'client processes that share the load (default: as in the paper)',
    wholeNumber(1, 1000),
  )
  .option('--alone', 'run your policy only')
  .option('--json', 'print JSON, for programs')
  .addHelpText(
    'after',
    `
The policy file holds options of a retry policy, and its limits by kind:
  { "maxAttempts": 4, "initialDelay": 100,
    "budget": { "kind": "success", "ratio": 0.15, "capacity": 20, "shared": true },
    "breaker": { "trip": { "kind": "time", "failureRatio": 0.5 }, "openMs": 5000 } }
Kinds of budget: none, success, window, grpc, aws, aws-classic. "shared" is for one budget, or breaker, of all processes.

Exit status: 0 if the policy gets through the storm in every run, 1 if it does not, 2 for wrong usage.`,
  )
  .action(async options => {
    // Loaded when it is needed: other commands have no use for the simulator.
    const { simulate } = await import('./simulate.ts');
    const verdict = await simulate(options);
    process.exitCode = verdict === 'recovers' ? EXIT.ok : EXIT.failed;
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed it already; help and version are no failures.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.wrongUsage;
  } else if (error instanceof UsageError) {
    process.stderr.write(`retryscope: ${error.message}\n`);
    process.exitCode = EXIT.wrongUsage;
  } else {
    throw error;
  }
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be an integer from ${least} to ${most}.`);
    }
    return value;
  };
}
