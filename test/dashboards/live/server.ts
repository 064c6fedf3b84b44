import { type ChildProcess, spawn } from 'node:child_process';
import { freePort } from '../../support/free-port.ts';
import { until } from './until.ts';

/** A program of our own that runs beside the test. */
export interface Server {
  readonly url: string;
  /** What it has printed so far. */
  output(): string;
  stop(): Promise<void>;
}

/** How often another port is tried when somebody has taken the free one in the meantime. */
const TRIES = 3;

/**
 * Starts a program that serves HTTP on the port that `argsFor` is told, and waits until `readyPath` answers with a
 * success.
 *
 * @throws Error with what the program has printed, when it ends before that
 */
export async function startServer(
  program: string,
  argsFor: (port: number) => readonly string[],
  readyPath: string,
): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const child = launch(program, argsFor(port));
    try {
      await until(async () => child.ended() || (await fetch(`${url}${readyPath}`)).ok);
    } catch (error) {
      await child.stop();
      throw new Error(`${program} does not answer:\n${child.output()}`, { cause: error });
    }
    if (!child.ended()) return { url, output: child.output, stop: child.stop };
    await child.stop();
    const isTaken = child.output().includes('address already in use');
    if (!isTaken || attempt === TRIES) throw new Error(`${program} ended:\n${child.output()}`);
  }
}

/** A child process whose output is kept. */
export interface Launched {
  output(): string;
  ended(): boolean;
  stop(): Promise<void>;
}

/** Starts a program without a shell. */
export function launch(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Launched {
  let output = '';
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const keep = (chunk: unknown): void => {
    output += chunk;
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.on('error', error => keep(error.message));
  const gone = new Promise<void>(resolve => {
    child.once('close', () => resolve());
  });
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  return {
    output: () => output,
    ended,
    stop: async () => {
      if (!ended()) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await gone;
      clearTimeout(timer);
    },
  };
}
