import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The rules of the house that no linter knows. Each finding names the file, the line and the rule. */
interface Rule {
  readonly name: string;
  /** Which files it is about. */
  readonly files: RegExp;
  readonly not?: RegExp;
  /** `comments` for what may not stand there either. */
  readonly where?: 'comments';
  /** What may not stand in a line. */
  readonly pattern: RegExp;
}

const RULES: readonly Rule[] = [
  {
    name: 'time and randomness come from the Clock',
    files: /^(src|instrumentation)\//,
    not: /^src\/engine\/[a-z-]*clock\.ts$/,
    pattern: /\b(Date\.now|Math\.random|performance\.now)\(|(?<![.\w])set(Timeout|Interval|Immediate)\(/,
  },
  {
    name: 'no instanceof Error: errors come from other realms too',
    files: /^(src|instrumentation)\//,
    pattern: /instanceof Error\b/,
  },
  {
    name: 'no boolean parameters',
    files: /^(src|instrumentation)\//,
    pattern: /^export (?:async )?function [^{]*\w\??: boolean[,)]/,
  },
  { name: 'no export *', files: /\.ts$/, pattern: /^\s*export \*/ },
  { name: 'no logging from src', files: /^src\//, pattern: /\bconsole\.\w+\(/ },
  {
    name: 'telemetry names come from instrumentation/names.ts',
    files: /^instrumentation\/(?!names\.ts)/,
    pattern: /(?<!type: )['"`](retry[._][a-z_.]+|circuit_breaker[._][a-z_.]+)['"`]/,
  },
  {
    name: 'nothing left to do',
    where: 'comments',
    files: /\.(ts|mjs|cjs)$/,
    not: /^scripts\/check-house\.ts$/,
    pattern: /(\/\/|\*).*\b(TODO|FIXME)\b/,
  },
];

/** No source file is longer: it is to be read at one sitting. */
const LONGEST_FILE = 400;
/** Folders that say nothing of what lives in them. */
const NAMELESS = /(^|\/)(utils?|helpers?|common|misc)\//;

const root = join(import.meta.dirname, '..');
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
});
const findings = tracked.split('\n').filter(Boolean).flatMap(check);
for (const finding of findings) console.error(finding);
console.log(`${RULES.length + 2} rules of the house checked, ${findings.length} findings`);
if (findings.length > 0) process.exitCode = 1;

function check(file: string): string[] {
  if (NAMELESS.test(file)) return [`${file}: the folder's name says nothing of what lives there`];
  if (!/\.(ts|mjs|cjs)$/.test(file)) return [];
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  const tooLong = /^(src|instrumentation|examples|benchmarks)\//.test(file) && lines.length > LONGEST_FILE;
  return [
    ...(tooLong ? [`${file}: ${lines.length} lines`] : []),
    ...RULES.flatMap(rule => breaches(rule, file, lines)),
  ];
}

function breaches(rule: Rule, file: string, lines: readonly string[]): string[] {
  const { name, files, not, pattern } = rule;
  if (!files.test(file) || not?.test(file)) return [];
  return lines.flatMap((line, i) =>
    (rule.where === 'comments' || isCode(line)) && pattern.test(line) ? [`${file}:${i + 1}: ${name}`] : [],
  );
}

function isCode(line: string): boolean {
  return !/^\s*(\*|\/\/|\/\*)/.test(line);
}
