import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a tool printed, and how it ended. */
export interface ToolResult {
  readonly status: number | null;
  readonly output: string;
}

/**
 * A test for each named row that runs a tool of Prometheus or Alertmanager. Where the tool is missing, CI fails, and
 * anywhere else the name of one test and a line on standard error tell how many were left out.
 */
export function testEachWith<Row>(
  tool: Tool,
  title: string,
  rows: readonly (readonly [name: string, row: Row])[],
  check: (row: Row) => void,
): void {
  if (isThere(tool)) {
    it.each(rows)(title, (_name, row) => check(row), PATIENCE_MS);
    return;
  }
  it(`${title.replace('%s', '…')}: ${rows.length} left out, there is no ${tool}`, () => {
    const missing = `${tool} is missing: install the Debian package ${PACKAGES[tool]}`;
    if (process.env.CI) throw new Error(missing);
    process.stderr.write(`${missing}. Checks skipped: ${rows.length}\n`);
  });
}

/** Runs a tool, and gives what it printed on both streams. */
export function runTool(tool: Tool, args: readonly string[]): ToolResult {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { status, output: `${stdout}${stderr}` };
}

/** Runs a tool that has to be content; what it printed is the message if it is not. */
export function expectContent(tool: Tool, args: readonly string[]): void {
  const { status, output } = runTool(tool, args);
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')} ended with ${status}:\n${output}`);
  expect(status).toBe(0);
}

/** Gives a folder with these files to `work`, and takes it away afterwards. */
export function withFiles(files: Readonly<Record<string, string>>, work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Tool = keyof typeof PACKAGES;

const PACKAGES = { promtool: 'prometheus', amtool: 'prometheus-alertmanager' } as const;

/** Days are evaluated in seconds, on a machine that may do other things as well. */
const PATIENCE_MS = 120_000;

function isThere(tool: Tool): boolean {
  return spawnSync(tool, ['--version']).error === undefined;
}
