import { basename } from 'node:path';
import Table from 'cli-table3';
import picocolors from 'picocolors';
import type { Contender } from '../benchmarks/storm/contenders.ts';
import { type Outcome, SCENARIOS, type ScenarioName } from '../benchmarks/storm/scenarios.ts';
import { readPolicyFile } from './policy-file.ts';

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
  const own: Contender = { name: basename(options.policy), ...readPolicyFile(options.policy) };
  const all = [own, ...(options.alone === true ? [] : scenario.presets)];
  const terms = {
    seeds: Array.from({ length: options.seeds }, (_, i) => i + 1),
    processes: options.processes ?? scenario.processes,
  };
  const progress = new ProgressLine(all.length);
  const rows: { contender: Contender; outcome: Outcome }[] = [];
  for (const contender of all) {
    progress.show(rows.length, contender.name);
    rows.push({ contender, outcome: await scenario.run(contender, terms) });
  }
  progress.clear();
  if (options.json === true) printJson(options.scenario, terms.processes, rows);
  else printTable(options.scenario, terms, rows);
  return rows[0]?.outcome.verdict ?? 'does_not_recover';
}

type Rows = readonly { readonly contender: Contender; readonly outcome: Outcome }[];

function printJson(scenario: ScenarioName, processes: number, rows: Rows): void {
  const results = rows.map(({ contender, outcome }, i) => ({
    name: contender.name,
    own: i === 0,
    verdict: outcome.verdict,
    runs: outcome.numbers,
  }));
  process.stdout.write(`${JSON.stringify({ scenario, processes, results }, undefined, 2)}\n`);
}

/** On a terminal only: also a CI that could show colours writes into a file. */
function terminalColors(): ReturnType<typeof picocolors.createColors> {
  return picocolors.createColors(picocolors.isColorSupported && process.stdout.isTTY === true);
}

function printTable(name: ScenarioName, terms: { seeds: readonly number[]; processes: number }, rows: Rows): void {
  const { title, columns } = SCENARIOS[name];
  const colors = terminalColors();
  const table = new Table({ head: ['', ...columns], style: { head: [], border: [], compact: true } });
  for (const [i, { contender, outcome }] of rows.entries()) {
    const paint = outcome.verdict === 'recovers' ? colors.green : colors.red;
    const cells = outcome.cells.map((cell, column) => (column === 0 ? paint(cell) : cell));
    table.push([i === 0 ? colors.bold(contender.name) : contender.name, ...cells]);
  }
  const runs = `${terms.seeds.length} ${terms.seeds.length === 1 ? 'run' : 'runs'} each`;
  const processes = `${terms.processes} client ${terms.processes === 1 ? 'process' : 'processes'}`;
  process.stdout.write(`${colors.bold(title)}\n${runs}, ${processes}\n${table.toString()}\n`);
}

/** What is being done, on a terminal: a line that is written over, and taken away in the end. */
class ProgressLine {
  readonly #total: number;
  readonly #isShown: boolean = process.stderr.isTTY === true;

  constructor(total: number) {
    this.#total = total;
  }

  show(done: number, name: string): void {
    if (this.#isShown) process.stderr.write(`\r\u001b[K${done + 1}/${this.#total} ${name} …`);
  }

  clear(): void {
    if (this.#isShown) process.stderr.write('\r\u001b[K');
  }
}
