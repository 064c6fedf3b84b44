// Prints the tables of the storm lab: `node benchmarks/storm/run.ts [scenario …] [--seeds N] [--processes N] [--json]`.
import '../../scripts/ensure-built.mjs';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';

const { values, positionals } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    processes: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
// Only now: what they import may have had to be built.
const { SCENARIOS } = await import('./scenarios.ts');
const { contenders } = await import('./contenders.ts');

type ScenarioName = keyof typeof SCENARIOS;
interface Row {
  readonly name: string;
  readonly cells: readonly string[];
  readonly published: readonly string[];
}

const names = positionals.length > 0 ? positionals : Object.keys(SCENARIOS);
const unknown = names.find(name => !Object.hasOwn(SCENARIOS, name));
if (unknown !== undefined) {
  console.error(`There is no scenario "${unknown}"; there are ${Object.keys(SCENARIOS).join(', ')}`);
  process.exit(2);
}
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1);
const all = contenders(4);
const keys = new Map(Object.entries(all).map(([key, { name }]) => [name, key as keyof typeof all]));

for (const name of names as ScenarioName[]) {
  const scenario = SCENARIOS[name];
  const published = Object.keys(scenario.published).map(Number);
  const counts = values.processes === undefined ? published : [Number(values.processes)];
  for (const processes of counts.length > 0 ? counts : [scenario.processes]) {
    const rows = await rowsOf(name, processes);
    if (values.json) console.log(JSON.stringify({ scenario: name, processes, columns: scenario.columns, rows }));
    else print(name, processes, rows);
  }
}

async function rowsOf(name: ScenarioName, processes: number): Promise<Row[]> {
  const scenario = SCENARIOS[name];
  const rows: Row[] = [];
  for (const contender of scenario.presets) {
    const { cells } = await scenario.run(contender, { seeds, processes });
    const key = keys.get(contender.name);
    const published = key === undefined ? [] : (scenario.published[processes]?.[key] ?? []);
    rows.push({ name: contender.name, cells, published });
  }
  return rows;
}

function print(name: ScenarioName, processes: number, rows: readonly Row[]): void {
  const { title, columns, runs } = SCENARIOS[name];
  const compact = rows.every(({ cells }) => cells.every(cell => !cell.includes('\n')));
  const table = new Table({ head: ['', ...columns], style: { head: [], border: [], compact } });
  for (const { name: contender, cells, published } of rows) {
    table.push([contender, ...cells]);
    if (published.length > 0) table.push(['  elsewhere', ...columns.map((_, i) => published[i] ?? '')]);
  }
  const clients = `${processes} client ${processes === 1 ? 'process' : 'processes'}`;
  const count = runs === 'one' ? 1 : seeds.length;
  console.log(`\n${title}\n${clients}; runs of each: ${count}; "elsewhere" is what others have published or measured.`);
  console.log(table.toString());
}
