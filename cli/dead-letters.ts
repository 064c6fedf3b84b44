import { type Command, InvalidArgumentError, Option } from 'commander';
import { addFilterOptions } from './dead-letters/filter-options.ts';
import { STORE_VARIABLE } from './dead-letters/store-address.ts';
import { EXIT } from './exit-status.ts';
import { printable } from './printable.ts';
import { UnavailableError } from './unavailable-error.ts';
import { UsageError } from './usage-error.ts';
import { wholeNumber } from './whole-number.ts';

/** Adds `retryscope dead-letters` and its commands. What they do is loaded when one of them is called. */
export function addDeadLetters(program: Command): void {
  const group = program
    .command('dead-letters')
    .description('Lists, shows, redrives and deletes calls that were given up, in the store that keeps them.')
    .addHelpText('after', `\n${STORES}\n\n${statusHelp('not all of it; see the help of each command')}`);
  addList(group);
  addShow(group);
  addRedrive(group);
  addPurge(group);
  addStats(group);
}

/** Makes an action whose faults, whatever came with them, show nothing that is secret. */
function safely<Args extends unknown[]>(action: (...args: Args) => Promise<void>): (...args: Args) => Promise<void> {
  return async (...args) => {
    try {
      await action(...args);
    } catch (error) {
      if (error instanceof UsageError || error instanceof UnavailableError) throw error;
      const { describeError } = await import('retryscope');
      const { message, stack = message } = describeError(error);
      process.stderr.write(`${stack.split('\n').map(printable).join('\n')}\n`);
      process.exitCode = EXIT.fault;
    }
  };
}

function addList(group: Command): void {
  const command = group
    .command('list')
    .description('Lists letters, the oldest first, without their payloads: those that fit every option.');
  addFilterOptions(withStore(command), 'any state')
    .option('--limit <number>', 'how many at most', wholeNumber(1, 100_000), 50)
    .option('--after <place>', 'go on behind this place, which the list before has named')
    .option('--json', 'print one JSON document, for programs: { store, letters: […], next }')
    .addHelpText('after', `\n${STORES}\n\n${statusHelp()}`)
    .action(
      safely(async options => {
        const { list } = await import('./dead-letters/list.ts');
        await list(options);
      }),
    );
}

function addShow(group: Command): void {
  const command = group
    .command('show')
    .description('Shows all that is known of a letter; its payload only when it is asked for.')
    .argument('<id>', 'the letter');
  withKeys(withStore(command))
    .option('--payload', 'the arguments of the call as well: they may be confidential')
    .option('--json', 'print one JSON document, for programs: the letter')
    .addHelpText('after', `\n${STORES}\n\n${KEYS}\n\n${statusHelp('there is no such letter')}`)
    .action(
      safely(async (id, options) => {
        const { show } = await import('./dead-letters/show.ts');
        process.exitCode = (await show(id, options)) === 'found' ? EXIT.ok : EXIT.failed;
      }),
    );
}

function addRedrive(group: Command): void {
  const command = group
    .command('redrive')
    .description('Sends the dead letters of a queue again, by the handlers of your own modules, oldest first.')
    .requiredOption('--handlers <files...>', 'modules of yours that call defineOperation when they are loaded');
  addFilterOptions(withKeys(withStore(command)), 'dead')
    .option('--include-quarantined', 'quarantined letters as well: they are made dead again first')
    .option('--limit <number>', 'how many letters at most', wholeNumber(1, 100_000_000))
    .option('--rate <number>', 'letters per second (default: as fast as they go)', rate)
    .option('--concurrency <number>', 'letters at the same time', wholeNumber(1, 1000), 1)
    .option('--stop-at-failure-rate <share>', 'share of failures that ends the run; never: none does', failureRate, 0.5)
    .option('--quarantine-after <number>', 'failed redrives that put a letter aside', wholeNumber(1, 1000), 5)
    .option('--dry-run', 'only tell what would be sent')
    .option('--json', 'print one JSON document, for programs; what handlers print comes before it')
    .addHelpText(
      'after',
      `
A letter holds the name of an operation and its arguments, and no code. The modules
of --handlers are loaded as your service loads them; what they define is what can
be sent, under their policies. To see the redrives in your telemetry, set it up in
such a module, or by NODE_OPTIONS="--import retryscope/register".

Without --queue, the letters must be of one queue. The run stops by itself when, of
the last 20 letters, too many failed. Ctrl-C gives the letters in work back, a
second one ends the process at once: its letters can be taken when their claims
end, a minute later. A letter is sent at least once, with its idempotency key. When
the store fails in the middle, what was done until then is printed all the same; a
lost letter was sent without a note of it, and may be sent again.

${STORES}

${KEYS}

${statusHelp('a letter failed, was put aside or given back, or stayed for want of a handler')}
  130  Ctrl-C has ended the run; 143: SIGTERM has`,
    )
    .action(
      safely(async options => {
        const { redrive } = await import('./dead-letters/redrive.ts');
        const { endProcess } = await import('./dead-letters/end-process.ts');
        try {
          process.exitCode = await redrive(options);
        } finally {
          endProcess();
        }
      }),
    );
}

function addPurge(group: Command): void {
  const command = group
    .command('purge')
    .description('Deletes letters for good: those that fit every option, but for what somebody works on.');
  addFilterOptions(withStore(command), 'any state')
    .option('--all', 'every letter, where there is no other option that says which')
    .option('--dry-run', 'only count them')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .option('--json', 'print one JSON document, for programs: { store, dryRun, letters }')
    .addHelpText('after', `\n${STORES}\n\n${statusHelp('you said no')}`)
    .action(
      safely(async options => {
        const { purge } = await import('./dead-letters/purge.ts');
        process.exitCode = (await purge(options)) === 'done' ? EXIT.ok : EXIT.failed;
      }),
    );
}

function addStats(group: Command): void {
  withStore(group.command('stats').description('Shows how many letters of each state are in each queue.'))
    .option('--json', 'print one JSON document, for programs: { store, letters, bytes, queues: […] }')
    .addHelpText('after', `\n${STORES}\n\n${statusHelp()}`)
    .action(
      safely(async options => {
        const { stats } = await import('./dead-letters/stats.ts');
        await stats(options);
      }),
    );
}

function withStore(command: Command): Command {
  return command
    .addOption(
      new Option('--store <address>', 'where the letters are kept; see below')
        .env(STORE_VARIABLE)
        .makeOptionMandatory(),
    )
    .option('--table <name>', 'their table in PostgreSQL, as table or schema.table, if it is not the usual one')
    .option('--prefix <text>', 'what their keys in Redis begin with, if it is not the usual text');
}

function withKeys(command: Command): Command {
  return command
    .option('--key-env <name>', 'environment variable with the key of sealed payloads; several times for several', each)
    .option('--key-file <file>', 'file with such a key', each);
}

const STORES = `Stores:
  sqlite:FILE                        a file of SqliteDeadLetterStore
  postgres://user@host/database      a table of PostgresDeadLetterStore
  redis://host:6379/0                keys of RedisDeadLetterStore; rediss:// for TLS
  kafka://host:9092,host:9092/topic  a topic of KafkaDeadLetterStore
The address may stand in ${STORE_VARIABLE} instead: the list of processes shows
arguments to everybody, so a password belongs there. It is never printed.`;

const KEYS = `A key is 32 bytes, as base64 or hexadecimal digits. Any of the keys that are named may
be the one of a letter.`;

/** @param failed what 1 says, where the command has a use for it */
function statusHelp(failed?: string): string {
  const rows = [
    '0    all is done',
    ...(failed === undefined ? [] : [`1    ${failed}`]),
    `2    wrong usage, or something is not installed`,
    `69   the store cannot be reached, fails, or is not there`,
    `70   the command itself fails`,
  ];
  return `Exit status:\n  ${rows.join('\n  ')}`;
}

function each(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

function rate(text: string): number {
  const value = Number(text);
  if (!(value >= LEAST_RATE && value <= MOST_RATE)) {
    throw new InvalidArgumentError(`It must be a number from ${LEAST_RATE} to ${MOST_RATE}.`);
  }
  return value;
}

function failureRate(text: string): number {
  if (text === 'never') return Infinity;
  const value = Number(text);
  if (!(value >= 0 && value <= 1) || text.trim() === '') {
    throw new InvalidArgumentError('It must be a number from 0 to 1, or never.');
  }
  return value;
}

const LEAST_RATE = 0.001;
const MOST_RATE = 1_000_000;
