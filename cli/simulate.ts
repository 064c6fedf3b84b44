import { basename } from 'node:path';
import Table from 'cli-table3';
import type { Contender } from '../benchmarks/storm/contenders.ts';
import type { Outcome, Scenario, ScenarioName } from '../benchmarks/storm/scenario.ts';
import { SCENARIOS } from '../benchmarks/storm/scenarios.ts';
import { readPolicyFile } from './policy-file.ts';
import { printable } from './printable.ts';
import { ProgressLine } from './progress-line.ts';
import { terminalColors } from './terminal.ts';

/** What `retryscope simulate` is asked for. */
export interface SimulateOptions {
  readonly policy: string;
  readonly scenario: ScenarioName;
  readonly seeds: number;
  readonly processes?: number;
  readonly alone?: boolean;
  readonly json?: boolean;
}

/**
 * Runs the user's policy and the presets through a scenario, and prints how they fare. Gives the verdict on the user's.
 *
 * @throws UsageError when the policy file is not right
 */
export async function simulate(options: SimulateOptions): Promise<Outcome['verdict']> {
  const scenario = SCENARIOS[options.scenario];
  const own: Contender = { name: nameOf(options.policy), ...readPolicyFile(options.policy) };
  const all = [own, ...(options.alone === true ? [] : scenario.presets)];
  const terms = {
    seeds: Array.from({ length: options.seeds }, (_, i) => i + 1),
    processes: options.processes ?? scenario.processes,
  };
  const progress = new ProgressLine(process.stderr);
  const rows: Row[] = [];
  for (const [i, contender] of all.entries()) {
    const what = `${i + 1} of ${all.length}: ${contender.name}`;
    let steps = 0;
    const onRun = (): void => progress.show(`${what}, step ${++steps + 1}`);
    progress.show(`${what}, step 1`);
    rows.push({ contender, outcome: await scenario.run(contender, { ...terms, onRun }) });
  }
  progress.clear();
  process.stdout.write(options.json === true ? asJson(options.scenario, terms, rows) : asTable(scenario, terms, rows));
  return rows[0]?.outcome.verdict ?? 'does_not_recover';
}

interface Row {
  readonly contender: Contender;
  readonly outcome: Outcome;
}

interface Terms {
  readonly seeds: readonly number[];
  readonly processes: number;
}

/** As wide as the longest name among the presets, so that a table keeps within a hundred columns. */
const LONGEST_NAME = 33;

function nameOf(path: string): string {
  const name = printable(basename(path));
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME - 1)}…`;
}

function asJson(scenario: ScenarioName, { seeds, processes }: Terms, rows: readonly Row[]): string {
  const { title, criterion } = SCENARIOS[scenario];
  const results = rows.map(({ contender, outcome }, i) => ({
    name: contender.name,
    own: i === 0,
    verdict: outcome.verdict,
    runs: outcome.numbers,
  }));
  // What is not there, such as a recovery that never came, is to be seen as null.
  const replace = (_key: string, value: unknown): unknown => (value === undefined ? null : value);
  return `${JSON.stringify({ scenario, title, criterion, seeds: seeds.length, processes, results }, replace, 2)}\n`;
}

function asTable(
  { title, criterion, columns, runs }: Scenario,
  { seeds, processes }: Terms,
  rows: readonly Row[],
): string {
  const colors = terminalColors();
  const compact = rows.every(({ outcome }) => outcome.cells.every(cell => !cell.includes('\n')));
  const table = new Table({ head: ['', ...columns], style: { head: [], border: [], compact } });
  for (const [i, { contender, outcome }] of rows.entries()) {
    const mark = outcome.verdict === 'recovers' ? colors.green('✓') : colors.red('✗');
    table.push([`${mark} ${i === 0 ? colors.bold(contender.name) : contender.name}`, ...outcome.cells]);
  }
  const count = runs === 'one' ? 1 : seeds.length;
  const clients = `${processes} client ${processes === 1 ? 'process' : 'processes'}`;
  const [own] = rows;
  const answer = own?.outcome.verdict === 'recovers' ? 'gets through' : 'does not get through';
  return [
    colors.bold(title),
    `${count} ${count === 1 ? 'run' : 'runs'} each, ${clients}`,
    `${colors.green('✓')} when ${criterion}`,
    table.toString(),
    `${own?.contender.name ?? ''} ${answer}.`,
    '',
  ].join('\n');
}
