import { fork } from 'node:child_process';
import { join } from 'node:path';
import Table from 'cli-table3';
import type { Gate, SectionReport } from './section.ts';

/**
 * Runs every section in a process of its own, so that what one registers cannot reach another, and prints the ratios.
 * With `--gates` a ratio above its limit, beyond the margin, makes the exit status 1.
 */
const SECTIONS = [
  'success',
  'success-no-sdk',
  'traced-instruments',
  'traced-producer',
  'unsampled',
  'storm',
  'heap',
  'heap-one-error',
  'limits',
  'fleet-budget',
  'register',
  'dead-letters',
];

/**
 * How far a ratio may exceed its limit before CI fails: what the medians of two runs differ by on a shared machine
 * with two cores. A gate that is missed by less is printed as missed all the same.
 */
const MARGIN = 0.1;
/** A section whose gate is missed beyond the margin is measured again: a neighbour may have disturbed it. */
const TRIES = 3;

const only = process.argv.slice(2).filter(argument => !argument.startsWith('--'));
let failed = 0;
for (const section of SECTIONS.filter(name => only.length === 0 || only.includes(name))) {
  let tables = await runSection(section);
  for (let attempt = 1; attempt < TRIES && missedGates(tables, MARGIN).length > 0; attempt++) {
    console.log(`(${section}: above its gate, measured again)`);
    tables = await runSection(section);
  }
  for (const table of tables) print(table);
  failed += missedGates(tables, MARGIN).length;
}
if (failed > 0) {
  console.log(`\n${failed} gate(s) missed by more than the margin of ${MARGIN * 100} %`);
  if (process.argv.includes('--gates')) process.exitCode = 1;
}

function runSection(name: string): Promise<readonly SectionReport[]> {
  return new Promise((resolve, reject) => {
    const file = join(import.meta.dirname, 'sections', `${name}.ts`);
    // kafkajs 2 sets timers to the past, of which newer versions of Node complain.
    const child = fork(file, { execArgv: ['--expose-gc', '--disable-warning=TimeoutNegativeWarning'] });
    let tables: readonly SectionReport[] | undefined;
    child.once('message', message => {
      tables = message as readonly SectionReport[];
      child.disconnect();
    });
    child.once('exit', code => {
      if (tables === undefined) reject(new Error(`The section ${name} ended with ${code} and no report`));
      else resolve(tables);
    });
  });
}

function missedGates(tables: readonly SectionReport[], margin: number): Gate[] {
  return tables.flatMap(({ gates, results }) =>
    gates.filter(({ contender, limit }) => {
      const result = results.find(({ name }) => name === contender);
      if (result === undefined) throw new Error(`No contender is called ${contender}`);
      return !(result.ratio <= limit * (1 + margin));
    }),
  );
}

function print(report: SectionReport): void {
  const table = new Table({ head: ['', report.unit, 'ratio', 'gate'], style: { head: [], border: [] } });
  for (const { name, cost, ratio } of report.results) {
    const gate = report.gates.find(({ contender }) => contender === name);
    const verdict = gate === undefined ? '' : verdictOf(gate, ratio);
    table.push([name, cost.toFixed(cost < 100 ? 1 : 0), ratio.toFixed(2), verdict]);
  }
  console.log(`\n${report.title}\n${table.toString()}`);
}

function verdictOf({ limit }: Gate, ratio: number): string {
  return `${ratio <= limit ? 'held' : 'missed'} (≤ ${limit})`;
}
