// Runs the mutation tests: of everything, which takes over an hour, or with `--part` of a twenty-fourth of the files, chosen
// by the commit, so that every commit in 24 has the same files tested again.
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';

const PARTS = 24;
/** One part may be below the score that the whole has to reach: a small file with a few equivalent mutants weighs more. */
const BREAK_FOR_PART = 85;

const { values } = parseArgs({ options: { part: { type: 'boolean', default: false } } });
const { mutate, thresholds } = JSON.parse(readFileSync('stryker.config.json', 'utf8')) as {
  mutate: string[];
  thresholds: { high: number; low: number; break: number };
};

if (values.part) {
  const part =
    Number.parseInt(execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).slice(0, 8), 16) % PARTS;
  const files = filesOf(part);
  console.log(`Part ${part + 1} of ${PARTS}: ${files.join(' ')}`);
  await run({ mutate: files, thresholds: { ...thresholds, low: BREAK_FOR_PART, break: BREAK_FOR_PART } });
} else {
  await run({});
}

/** The files dealt out by size, largest first, so that the parts take about as long. */
function filesOf(part: number): string[] {
  const files = mutate.flatMap(pattern => globSync(pattern)).sort((a, b) => statSync(b).size - statSync(a).size);
  return files.filter((_, i) => i % PARTS === part).sort();
}

async function run(options: object): Promise<void> {
  try {
    await new Stryker(options).runMutationTest();
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
}
