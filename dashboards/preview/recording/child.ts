import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** How long a process has to end by itself once it is asked to, in milliseconds. */
const PATIENCE = 10_000;

/** A process of ours. It never outlives this one: not after an error, and not after Ctrl-C. */
export class Child implements AsyncDisposable {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #killAtExit = (): void => void this.#process.kill('SIGKILL');
  #output = '';

  constructor(name: string, command: string, args: readonly string[]) {
    this.#name = name;
    this.#process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    process.once('exit', this.#killAtExit);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      // Only the end is of use when something goes wrong; a long run writes much.
      stream?.on('data', chunk => {
        this.#output = (this.#output + chunk).slice(-20_000);
      });
    }
    this.#process.once('error', error => {
      this.#output += `${error.message}\n`;
    });
  }

  /** What it wrote last. */
  get output(): string {
    return this.#output;
  }

  /** @throws Error with its last lines, when it has ended by itself */
  check(): void {
    const { exitCode, signalCode, pid } = this.#process;
    if (pid !== undefined && exitCode === null && signalCode === null) return;
    const lines = this.#output.trimEnd().split('\n').slice(-15).join('\n');
    throw new Error(`${this.#name} ended (${signalCode ?? exitCode ?? 'it did not start'}). Its last lines:\n${lines}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode, pid } = this.#process;
    if (pid !== undefined && exitCode === null && signalCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGTERM');
      const timer = setTimeout(this.#killAtExit, PATIENCE);
      await ended;
      clearTimeout(timer);
    }
    process.removeListener('exit', this.#killAtExit);
  }
}
