import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { startTelemetry, type Telemetry } from 'retryscope/setup';
import { logToWinston } from 'retryscope/winston';
import { collectCalls } from './call-trace.ts';
import { Gallery } from './gallery.ts';
import { driveLoad } from './load.ts';
import { type DemoOptions, HELP, readOptions } from './options.ts';
import { behaviourAt, type Phase, phaseAt } from './phases.ts';
import { seeded } from './random.ts';
import { closingLine, Screen } from './screen.ts';
import { startService } from './service.ts';
import { Shop } from './shop.ts';
import { styleFor } from './style.ts';
import { drawSummary } from './summary.ts';
import { Tally } from './tally.ts';
import { startUpstream } from './upstream.ts';
import { drawWaterfall } from './waterfall.ts';

/** Requests to the service in a second; each makes five calls to the upstream. */
const REQUESTS_PER_SECOND = 12;
/** How long one round of phases takes when the demo runs for ever, in seconds. */
const ROUND_SECONDS = 60;

const isTerminal = process.stdout.isTTY ? 'terminal' : 'pipe';
const options = readCommandLine();
if (options !== undefined) await runDemo(options);

function readCommandLine(): DemoOptions | undefined {
  try {
    const read = readOptions(process.argv.slice(2), isTerminal);
    if (read !== 'help') return read;
    console.log(HELP);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    process.exitCode = 2;
  }
  return undefined;
}

async function runDemo({ seconds, seed, port, colour }: DemoOptions): Promise<void> {
  const style = styleFor(colour);
  const screen = new Screen(style, seconds, isTerminal);
  const tally = new Tally();
  const gallery = new Gallery();
  let calls = 0;
  const collector = collectCalls(call => {
    calls++;
    tally.add(call);
    gallery.add(call);
  });
  const { telemetry, address } = await startOnFreePort(screen, port, collector);
  const stopLogging = logToWinston(screen.logger);
  screen.print(`${style.bold('retryscope demo')}: a service, its flaky upstream, and every retry in between`);
  screen.print(`Metrics for Prometheus, live: ${style.cyan(address)}`);

  const random = seeded(seed);
  const startedAt = performance.now();
  const elapsed = (): number => performance.now() - startedAt;
  const round = (Number.isFinite(seconds) ? seconds : ROUND_SECONDS) * 1000;
  const phase = (): Phase => phaseAt(elapsed() / round);
  const upstream = await startUpstream(() => behaviourAt(phase(), random()), random);
  const service = await startService(new Shop(upstream.url));

  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const timer = Number.isFinite(seconds) ? setTimeout(() => stop.abort(), seconds * 1000) : undefined;
  const watching = watchPhases(screen, phase, elapsed, () => calls, stop.signal);
  const { sent } = await driveLoad(service.url, REQUESTS_PER_SECOND, random, stop.signal);
  clearTimeout(timer);
  await watching;
  screen.close();
  stopLogging();

  const width = Math.min(100, process.stdout.columns ?? 100);
  const drawn = gallery.read().map(call => drawWaterfall(call, style, width));
  console.log(`\n${style.bold('Some calls, from their spans')}\n\n${drawn.join('\n\n')}`);
  console.log(`\n${style.bold(closingLine(elapsed(), sent))}\n${drawSummary(tally.read(), style)}`);
  console.log(`\nMetrics were served at ${address}`);
  await Promise.all([service.close(), upstream.close()]);
  await telemetry.shutdown();
}

async function watchPhases(
  screen: Screen,
  phase: () => Phase,
  elapsed: () => number,
  calls: () => number,
  signal: AbortSignal,
): Promise<void> {
  let shown: string | undefined;
  while (!signal.aborted) {
    const { name } = phase();
    if (name !== shown) screen.phase(name);
    shown = name;
    screen.progress(elapsed(), name, calls());
    await delay(200, undefined, { signal }).catch(() => undefined);
  }
}

/** Starts telemetry; says so and takes a free port when the one that was asked for is taken. */
async function startOnFreePort(
  screen: Screen,
  port: number,
  collector: ReturnType<typeof collectCalls>,
): Promise<{ telemetry: Telemetry; address: string }> {
  const free = await isFree(port);
  if (!free) screen.print(`Port ${port} is taken; /metrics gets a free one.`);
  const telemetry = startTelemetry({
    serviceName: 'retryscope-demo',
    prometheus: { port: free ? port : 0 },
    spanProcessors: [collector],
  });
  return { telemetry, address: String(await telemetry.ready) };
}

async function isFree(port: number): Promise<boolean> {
  const { createServer } = await import('node:net');
  const probe = createServer();
  probe.listen(port, process.env.OTEL_EXPORTER_PROMETHEUS_HOST || 'localhost');
  try {
    await once(probe, 'listening');
    await new Promise(resolve => probe.close(resolve));
    return true;
  } catch {
    return false;
  }
}
