#!/usr/bin/env node
import { inspect } from 'node:util';
import { Command, CommanderError, Option } from 'commander';
import { DEFAULTS } from '../dashboards/src/config.ts';
import { VERSION } from '../src/engine/version.ts';
import { addDeadLetters } from './dead-letters.ts';
import { EXIT } from './exit-status.ts';
import { printable } from './printable.ts';
import { UnavailableError } from './unavailable-error.ts';
import { UsageError } from './usage-error.ts';
import { wholeNumber } from './whole-number.ts';

const program = new Command('retryscope')
  .description('Tools for the retries of your services.')
  .version(VERSION)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'retryscope: ')) })
  .showSuggestionAfterError();

program
  .command('simulate')
  .description('Shows how a retry policy fares in the storms of the literature, beside the policies of others.')
  .requiredOption('--policy <file>', 'the policy, as JSON of at most 64 kB; see below')
  .addOption(
    new Option('--scenario <name>', 'the storm')
      .choices(['hotos', 'osdi', 'brooker', 'collapse', 'layers'])
      .default('hotos'),
  )
  .option('--seeds <number>', 'how many runs of each policy, where they differ', wholeNumber(1, 100), 3)
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
Scenarios:
  hotos     a total outage of 10 s, close to capacity (HotOS 2021)
  osdi      four fifths of the capacity gone for 10 s, in a fleet (OSDI 2022)
  brooker   attempts that fail at a fixed rate, from 1 to 100 % (Brooker 2022)
  collapse  a burst on a service that slows down under load (Brooker)
  layers    three layers of the policy, one around the other

The policy file holds options of a retry policy, and its limits by kind:
  { "maxAttempts": 4, "initialDelay": 100,
    "budget": { "kind": "success", "ratio": 0.15, "capacity": 20 },
    "breaker": { "trip": { "kind": "time", "failureRatio": 0.5 }, "openMs": 5000 } }
Kinds of budget: success (default), window, grpc, aws, aws-classic, none. Their
options are those of the library. With "shared": true in it, all processes have
one budget, or breaker, instead of one each.

Exit status: 0 if the policy gets through in every run, 1 if it does not, 2 for
wrong usage, 70 if the simulator itself fails.`,
  )
  .action(async options => {
    // Loaded when it is needed: other commands have no use for the simulator.
    const { simulate } = await import('./simulate.ts');
    const verdict = await simulate(options);
    process.exitCode = verdict === 'recovers' ? EXIT.ok : EXIT.failed;
  });

program
  .command('dashboards')
  .description('Writes Grafana dashboards, Prometheus rules and alerts, and the runbooks of the alerts into a folder.')
  .requiredOption('--out <folder>', 'where to; the folder has to be there')
  .option('--selector <matchers>', 'label matchers for every query, such as job="shop"')
  .option('--objective <ratio>', 'retries per call that the alerts allow (default: what each service exports)', Number)
  .option('--runbook-base <url>', 'where your runbooks are, for the links from alerts')
  .option('--grafana-url <url>', 'where your Grafana is, for the links from alerts')
  .option('--config <file>', 'any of the options of the generator, as YAML or JSON; see below')
  .option('--force', 'overwrite files that were not written by this command, or changed since')
  .addHelpText(
    'after',
    `
It writes grafana/*.json, prometheus/retry-rules.yml, prometheus/retry-alerts.yml
and runbooks/*.md: all of them, or none.

The file of --config may hold, with these defaults:
${Object.entries(DEFAULTS)
  .filter(([name]) => name !== 'windows')
  .map(([name, value]) => `  ${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`)
  .join('\n')}
  windows: [{ severity: critical, long: 1h, short: 5m, factor: 14.4, for: 2m }, …]

Exit status: 0 if all is written, 2 for wrong usage, 70 if the generator fails.`,
  )
  .action(async options => {
    const { writeDashboards } = await import('./dashboards.ts');
    writeDashboards(options);
  });

program
  .command('doctor')
  .description('Tells what is dangerous in a policy file, or in what a running process shows of itself.')
  .option(
    '--config <file>',
    'the policy file (default: the one that the process would find, unless --metrics is given)',
  )
  .option('--metrics <url|file>', 'where the metrics of a running process are, such as http://localhost:9464/metrics')
  .option('--alerts <file>', 'options of your alerts, if they are not the default: those of dashboards --config')
  .option('--caller-timeout <ms>', 'how long your callers wait for an answer', wholeNumber(1, 86_400_000), 30_000)
  .option(
    '--ignore <codes>',
    'codes of findings that you have decided to live with, with commas between them',
    codeList,
  )
  .addOption(
    new Option('--fail-on <severity>', 'from which severity on the exit status is 1')
      .choices(['error', 'warning', 'info'])
      .default('error'),
  )
  .option('--json', 'print JSON, for programs')
  .addHelpText(
    'after',
    `
An error makes an outage worse or does not work at all, a warning does in some
cases, an info is worth knowing. Metrics are read once, from http or https, at
most 16 MB within 10 s; redirects are followed on the same server only.

Exit status: 0 if there is no finding of that severity, 1 if there is one, 2 for
wrong usage and for what cannot be read, 70 if the doctor itself fails.`,
  )
  .action(async options => {
    const { doctor } = await import('./doctor.ts');
    const verdict = await doctor(options);
    process.exitCode = verdict === 'healthy' ? EXIT.ok : EXIT.failed;
  });

addDeadLetters(program);

// A reader that has seen enough, such as head, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  requireNode(22);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed it already; help and version are no failures.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.wrongUsage;
  } else if (error instanceof UsageError) {
    process.stderr.write(`retryscope: ${printable(error.message)}\n`);
    process.exitCode = EXIT.wrongUsage;
  } else if (error instanceof UnavailableError) {
    process.stderr.write(`retryscope: ${printable(error.message)}\n`);
    process.exitCode = EXIT.unavailable;
  } else {
    // Not 1, which would say something of the policy.
    process.stderr.write(`${inspect(error)}\n`);
    process.exitCode = EXIT.fault;
  }
}

/** An older Node would fail in the middle of a module, and say nothing that helps. */
function requireNode(major: number): void {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) < major) throw new UsageError(`this is Node ${node}; Node 22.15 or later is needed`);
}

function codeList(text: string): string[] {
  return text.split(',').map(code => code.trim());
}
