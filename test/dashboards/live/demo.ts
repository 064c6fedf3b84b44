import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { launch } from './server.ts';
import { until } from './until.ts';

const ROOT = join(__dirname, '../../..');

/** The demo as a person starts it, with a hand on its upstream. */
export interface Demo {
  /** Host and port of /metrics. */
  readonly target: string;
  readonly metricsUrl: string;
  /** Sets the phase of the upstream. */
  breakUpstream(phase: 'healthy' | 'flaky' | 'outage' | 'recovery'): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the demo, for ever, with its upstream healthy. It runs what is in dist/, which is built where it is old. */
export async function startDemo(): Promise<Demo> {
  execFileSync(process.execPath, [join(ROOT, 'scripts/ensure-built.mjs')], { stdio: 'pipe' });
  const args = [join(ROOT, 'examples/demo/main.ts'), '--forever', '--port', '0', '--service-port', '0'];
  const env: NodeJS.ProcessEnv = { ...process.env, OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1' };
  delete env.REDIS_URL;
  const child = launch(process.execPath, args, env);
  const find = async (pattern: RegExp): Promise<string> => {
    await until(() => child.ended() || pattern.test(child.output()));
    const found = pattern.exec(child.output())?.[1];
    if (found === undefined) throw new Error(`The demo ended:\n${child.output()}`);
    return found;
  };
  const metricsUrl = await find(/live: (http:\S+)\s/);
  const service = await find(/The service: (http:\S+)\s/);
  const demo: Demo = {
    target: new URL(metricsUrl).host,
    metricsUrl,
    breakUpstream: async phase => {
      const response = await fetch(`${service}/upstream/${phase}`, { method: 'PUT' });
      if (!response.ok) throw new Error(await response.text());
    },
    stop: child.stop,
  };
  await demo.breakUpstream('healthy');
  return demo;
}
