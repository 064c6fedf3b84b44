import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** The Debian package that brings a tool. */
const PACKAGES = {
  'docker-compose': 'docker-compose',
  prometheus: 'prometheus',
  'prometheus-alertmanager': 'prometheus-alertmanager',
} as const;

/** How long a test of tools may take, in milliseconds: on a busy machine docker-compose alone takes ten seconds. */
export const PATIENCE_MS = 240_000;

/**
 * A test that runs a tool. Where the tool is missing, CI fails, and anywhere else the name of the test and a line on
 * standard error tell that it was left out.
 */
export function itWith(tool: keyof typeof PACKAGES, name: string, check: () => void | Promise<void>): void {
  if (spawnSync(tool, ['--version']).error === undefined) {
    it(name, async () => await check(), PATIENCE_MS);
    return;
  }
  it(`${name}: left out, there is no ${tool}`, () => {
    const missing = `${tool} is missing: install the Debian package ${PACKAGES[tool]}`;
    if (process.env.CI) throw new Error(missing);
    process.stderr.write(`${missing}. Checks skipped: 1\n`);
  });
}

/** Runs a server while `work` lasts, and ends it afterwards; what it printed is the message if `work` fails. */
export async function whileRunning(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
  work: (server: ChildProcess, output: () => string) => Promise<void>,
): Promise<void> {
  const server = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', chunk => {
      printed += chunk;
    });
  }
  const ended = once(server, 'exit');
  try {
    await work(server, () => printed);
  } catch (error) {
    throw new Error(`${program} printed:\n${printed}`, { cause: error });
  } finally {
    server.kill('SIGKILL');
    await ended;
  }
}

/** Asks until there is an answer that will do. */
export async function until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = performance.now() + PATIENCE_MS / 4;
  while (performance.now() < end) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await delay(50);
  }
  throw new Error(`waited in vain: ${what}`);
}

/** The status of an answer, or undefined while nobody answers. */
export async function statusOf(url: string): Promise<number | undefined> {
  return fetch(url).then(
    ({ status }) => status,
    () => undefined,
  );
}
