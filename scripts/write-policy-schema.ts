// Writes schema/retryscope.config.schema.json, the schema of policy files that editors read. With --check it writes
// nothing, and fails when the file is not as it would be written.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { POLICY_FILE_SCHEMA } from '../src/services/policy-file/schema.ts';

const path = join(import.meta.dirname, '../schema/retryscope.config.schema.json');
const text = `${withShortLists(JSON.stringify(POLICY_FILE_SCHEMA, undefined, 2))}\n`;

if (process.argv.includes('--check')) {
  if (text !== readWritten()) {
    console.error('schema/retryscope.config.schema.json is not up to date: node scripts/write-policy-schema.ts');
    process.exitCode = 1;
  }
} else {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function readWritten(): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Puts a list of plain values on one line where it fits, as the formatter does. */
function withShortLists(json: string): string {
  return json.replace(
    /^(.*)\[\n([^[\]{}]*)\n *\](,?)$/gm,
    (all: string, before: string, items: string, comma: string) => {
      const line = `${before}[${items
        .split('\n')
        .map(item => item.trim())
        .join(' ')}]${comma}`;
      return line.length <= 120 ? line : all;
    },
  );
}
