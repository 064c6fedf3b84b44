import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { TestOutcome, TestRequest } from './clients.ts';

/** got in a process of its own. */
export interface GotWorker {
  send(request: TestRequest): Promise<TestOutcome>;
  /** Runs one of the scenarios of got-process.ts by name. */
  run(scenario: string, origin: string): Promise<unknown>;
  end(): Promise<void>;
}

/** Starts the process, and waits until got is loaded. */
export async function startGotWorker(): Promise<GotWorker> {
  // Node 22 warns about TypeScript.
  const args = ['--disable-warning=ExperimentalWarning', join(__dirname, 'got-process.ts')];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, (message: Answer) => void>();
  let number = 0;
  const ready = Promise.withResolvers<void>();
  child.on('message', (message: Answer) => {
    if (message.id === 0) ready.resolve();
    else waiting.get(message.id)?.(message);
  });
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const cutOff = exited.then((): never => {
    throw new Error('got-process.ts ended');
  });
  const ask = async (question: object): Promise<unknown> => {
    const id = ++number;
    const answer = new Promise<Answer>(resolve => waiting.set(id, resolve));
    child.send({ id, ...question });
    const { value, error } = await Promise.race([answer, cutOff]);
    waiting.delete(id);
    if (error !== undefined) throw new Error(error);
    return value;
  };
  cutOff.catch(() => undefined);
  await Promise.race([ready.promise, cutOff]);
  return {
    send: request => ask({ request }) as Promise<TestOutcome>,
    run: (scenario, origin) => ask({ scenario, origin }),
    end: async () => {
      child.disconnect();
      await exited;
    },
  };
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}
