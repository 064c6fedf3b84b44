// Prints the tables of the storm lab: `node benchmarks/storm/run.ts [scenario …] [--seeds N] [--processes N] [--json]`.
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { type ContenderName, contenders } from './contenders.ts';
import { SCENARIOS, type ScenarioName } from './scenarios.ts';

const { values, positionals } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    processes: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1);
const names = (positionals.length > 0 ? positionals : Object.keys(SCENARIOS)) as ScenarioName[];
const keys = new Map(Object.entries(contenders(4)).map(([key, { name }]) => [name, key as ContenderName]));

for (const name of names) {
  const scenario = SCENARIOS[name];
  const rows: { name: string; cells: readonly string[]; published: readonly string[] }[] = [];
  for (const contender of scenario.presets) {
    const outcome = await scenario.run(contender, { seeds, processes: Number(values.processes ?? scenario.processes) });
    const key = keys.get(contender.name);
    const published = key === undefined ? [] : (scenario.published[key] ?? []);
    rows.push({ name: contender.name, cells: outcome.cells, published });
  }
  if (values.json) console.log(JSON.stringify({ scenario: name, columns: scenario.columns, rows }));
  else print(name, rows);
}

function print(
  name: ScenarioName,
  rows: readonly { name: string; cells: readonly string[]; published: readonly string[] }[],
): void {
  const scenario = SCENARIOS[name];
  const table = new Table({ head: ['', ...scenario.columns], style: { head: [], border: [] } });
  for (const row of rows) {
    const cells = row.cells.map((cell, i) =>
      row.published[i] === undefined ? cell : `${cell}\n(${row.published[i]})`,
    );
    table.push([row.name, ...cells]);
  }
  console.log(`\n${scenario.title}\nIn brackets what was published, or measured elsewhere.\n${table.toString()}`);
}
