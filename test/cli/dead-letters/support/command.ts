import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../../..');

/** How a run of the command ended. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the command. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts `retryscope dead-letters` from the sources themselves, without a build. `folder` is for a file of its own. */
export function startCommand(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const hook = join(folder, 'hook.mjs');
  writeFileSync(hook, HOOK);
  const child = spawn(process.execPath, ['--import', hook, join(ROOT, 'cli/main.ts'), 'dead-letters', ...args], {
    env: { ...process.env, FORCE_COLOR: undefined, NO_COLOR: undefined, NODE_OPTIONS: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text;
  });
  const ended = new Promise<Ended>(resolve => child.once('close', status => resolve({ status, stdout, stderr })));
  return { child, ended };
}

const HOOK = `import { registerHooks } from 'node:module';
const ROOT = ${JSON.stringify(`file://${ROOT}/src/`)};
registerHooks({
  resolve: (name, context, next) => {
    if (name === 'retryscope') return next(ROOT + 'index.ts', context);
    const entry = /^retryscope\\/(dead-letters(?:\\/[a-z-]+)?)$/.exec(name)?.[1];
    return next(entry === undefined ? name : ROOT + 'recovery/' + entry + '/index.ts', context);
  },
});`;
