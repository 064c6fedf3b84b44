import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Supported, supported } from '../instrumentation/register/supported.ts';

/**
 * Writes the table of what `retryscope/register` supports into the README, between `<!-- supported -->` and
 * `<!-- /supported -->`. `--check` fails where it is another one there; `--print` only prints it.
 */
const FILE = join(import.meta.dirname, '../README.md');
const PART = /(<!-- supported -->\n)[\s\S]*?(<!-- \/supported -->)/;

/** What is done, in words. */
const WORDS: Readonly<Record<string, string>> = {
  observes: 'its calls are shown, with their retries',
  retries: 'calls are retried by the policy file',
  'observes,retries': 'its calls are shown, with their retries; calls are retried by the policy file',
};

const table = tableOf(supported());
const [mode] = process.argv.slice(2);
if (mode === '--print') {
  console.log(table);
} else {
  const before = readFileSync(FILE, 'utf8');
  if (!PART.test(before)) throw new Error('README.md has no <!-- supported --> … <!-- /supported -->');
  const after = before.replace(PART, (_, start: string, end: string) => `${start}\n${table}\n\n${end}`);
  if (mode !== '--check') writeFileSync(FILE, after);
  else if (after !== before) {
    console.error('The table of libraries in README.md is out of date: node scripts/write-support-table.ts');
    process.exitCode = 1;
  }
}

function tableOf(rows: readonly Supported[]): string {
  const lines = rows.map(({ name, packages, does }) => {
    const versions = packages.map(({ module, versions }) => {
      const range = versions.map(each => `\`${each}\``).join(', ');
      return module === name ? range : `${module} ${range}`;
    });
    return `| \`${name}\` | ${versions.join('; ') || 'of Node'} | ${WORDS[does.join()]} |`;
  });
  return ['| Name | Versions | What happens |', '|---|---|---|', ...lines].join('\n');
}
