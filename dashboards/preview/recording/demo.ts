import { join } from 'node:path';
import { Child } from './child.ts';
import { freePort } from './port.ts';
import { waitFor } from './wait.ts';

/** What the demo's upstream is told to be. */
export type Upstream = 'healthy' | 'flaky' | 'outage';

/** The demo of this repository, running until it is disposed of. */
export interface Demo extends AsyncDisposable {
  /** Host and port of its /metrics. */
  readonly target: string;
  setUpstream(upstream: Upstream): Promise<void>;
  /** @throws Error when it has ended by itself */
  check(): void;
}

/** Starts the demo. It needs the package to be built. */
export async function startDemo(root: string, signal: AbortSignal): Promise<Demo> {
  const servicePort = await freePort();
  const child = new Child('The demo', process.execPath, [
    join(root, 'examples/demo/main.ts'),
    ...['--forever', '--port', '0', '--service-port', String(servicePort), '--no-color'],
  ]);
  try {
    const target = await waitFor('the address of the /metrics of the demo', 30, signal, () => {
      child.check();
      return /http:\/\/(\S+)\/metrics/.exec(child.output)?.[1];
    });
    const setUpstream = async (upstream: Upstream): Promise<void> => {
      const url = `http://127.0.0.1:${servicePort}/upstream/${upstream}`;
      const { ok, status } = await fetch(url, { method: 'PUT', signal });
      if (!ok) throw new Error(`PUT ${url} answered ${status}`);
    };
    return {
      target,
      setUpstream,
      check: () => child.check(),
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}
