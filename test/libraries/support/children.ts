import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Report, SpanReport } from './scenario.ts';

/** `plain`: as it is. `patched`: by hand. `registered`: by `--import retryscope/register`. */
export type Mode = 'plain' | 'patched' | 'registered';

/** The libraries that have scenarios. */
export const SUBJECTS = [
  'p-retry',
  'async-retry',
  'retry',
  'exponential-backoff',
  'cockatiel',
  'opossum',
  'got',
  'axios-retry',
  'undici',
  'aws-sdk',
  'kafkajs',
  'ioredis',
] as const;

/** Runs the scenarios of a library in a process of its own; each combination once in a test file. */
export function runChild(library: string, mode: Mode, how: 'import' | 'require'): Promise<Report> {
  const key = `${library} ${mode} ${how}`;
  const known = reports.get(key) ?? run(library, mode, how);
  reports.set(key, known);
  return known;
}

const reports = new Map<string, Promise<Report>>();

async function run(library: string, mode: Mode, how: 'import' | 'require'): Promise<Report> {
  const register = mode === 'registered' ? ['--import', REGISTER] : [];
  const args = ['--disable-warning=ExperimentalWarning', '--expose-gc', ...register, CHILD, library, mode, how];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
    encoding: 'utf8',
    env: environment(),
    // A scenario that hangs would keep its process for ever: timers of its own hold it.
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return { ...(JSON.parse(last) as Omit<Report, 'stderr'>), stderr };
}

/** Spans as a tree: each below its parent, with what its attributes say of the attempt or the call. */
export function tree(spans: readonly SpanReport[]): string[] {
  const ids = new Set(spans.map(span => span.id));
  const roots = spans.filter(({ parent }) => parent === undefined || !ids.has(parent));
  const below = (span: SpanReport, depth: number): string[] => [
    line(span, depth),
    ...spans.filter(({ parent }) => parent === span.id).flatMap(child => below(child, depth + 1)),
  ];
  return roots.flatMap(root => below(root, 0));
}

const LIMIT_MS = 110_000;
const CHILD = join(__dirname, 'child.ts');
const REGISTER = pathToFileURL(join(__dirname, '../../../instrumentation/register/index.ts')).href;

/** Without what tests and users of this machine have set: kafkajs takes other defaults where it believes to be tested. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_ENV: _, NODE_OPTIONS: __, ...rest } = process.env;
  return rest;
}

function line({ name, attributes, failed }: SpanReport, depth: number): string {
  const facts = ['retry.attempt', 'retry.next', 'retry.attempts', 'retry.outcome']
    .filter(key => attributes[key] !== undefined)
    .map(key => `${key.slice('retry.'.length)}=${String(attributes[key])}`);
  return ['  '.repeat(depth) + name.replace(/127\.0\.0\.1:\d+/, 'host'), ...facts, ...(failed ? ['failed'] : [])].join(
    ' ',
  );
}
