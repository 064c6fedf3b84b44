import { setTimeout as delay } from 'node:timers/promises';
import { logToOpenTelemetry, setRetryObjective } from 'retryscope/opentelemetry';
import { startTelemetry } from 'retryscope/setup';
import { logToWinston } from 'retryscope/winston';
import { collectCalls } from './call-trace.ts';
import { Gallery } from './gallery.ts';
import { makeLimits } from './limits.ts';
import { driveLoad } from './load.ts';
import { metricsListener, serveMetrics } from './metrics-endpoint.ts';
import { type DemoOptions, HELP, readOptions } from './options.ts';
import { OrderBook } from './order-book.ts';
import { behaviourAt, type Phase } from './phases.ts';
import { seeded } from './random.ts';
import { Receipts } from './receipts.ts';
import { closingLine, Screen } from './screen.ts';
import { startService } from './service.ts';
import { Shop } from './shop.ts';
import { styleFor } from './style.ts';
import { drawLetters, drawSummary } from './summary.ts';
import { Tally } from './tally.ts';
import { closeServer, startUpstream } from './upstream.ts';
import { UpstreamControl } from './upstream-control.ts';
import { drawWaterfall } from './waterfall.ts';

/** Requests to the service in a second; each makes seven calls to the upstream, one of them within another call. */
const REQUESTS_PER_SECOND = 12;
/** How long one round of phases takes when the demo runs for ever, in seconds. */
const ROUND_SECONDS = 300;

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

async function runDemo({ seconds, seed, port, servicePort, colour }: DemoOptions): Promise<void> {
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
  const telemetry = startTelemetry({
    serviceName: process.env.OTEL_SERVICE_NAME || 'retryscope-demo',
    prometheus: 'mount',
    spanProcessors: [collector],
  });
  const { server, address } = await serveMetrics(metricsListener(telemetry), port, () =>
    screen.print(`Port ${port} is taken; /metrics gets a free one.`),
  );
  const stopLogging = startLogging(screen);
  screen.print(`${style.bold('retryscope demo')}: a service, its flaky upstream, and every retry in between`);
  screen.print(`Metrics for Prometheus, live: ${style.cyan(address)}`);

  const random = seeded(seed);
  const startedAt = performance.now();
  const elapsed = (): number => performance.now() - startedAt;
  const round = (Number.isFinite(seconds) ? seconds : ROUND_SECONDS) * 1000;
  const control = new UpstreamControl(() => elapsed() / round);
  const upstream = await startUpstream(() => behaviourAt(control.phase(), random()), random);
  const limits = makeLimits(process.env.REDIS_URL);
  // The page does without recommendations, so that they may be retried more often before anybody is told.
  setRetryObjective('recommendations', 0.1);
  const orders = new OrderBook(upstream.url);
  const service = await startService(
    new Shop(upstream.url, limits, orders, new Receipts(upstream.url)),
    control,
    servicePort,
  );
  screen.print(`The service: ${style.cyan(service.url)}`);

  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const timer = Number.isFinite(seconds) ? setTimeout(() => stop.abort(), seconds * 1000) : undefined;
  const watching = watchPhases(
    screen,
    () => control.phase(),
    elapsed,
    () => calls,
    stop.signal,
  );
  const redriving = Number.isFinite(seconds) ? undefined : orders.keepRedriving(stop.signal);
  const { sent } = await driveLoad(service.url, REQUESTS_PER_SECOND, random, stop.signal);
  clearTimeout(timer);
  await Promise.all([watching, redriving]);
  if (redriving === undefined) {
    screen.part('what was given up is sent again');
    await orders.redrive();
  }
  screen.close();
  stopLogging();

  const width = Math.min(100, process.stdout.columns ?? 100);
  const drawn = gallery.read().map(call => drawWaterfall(call, style, width));
  console.log(`\n${style.bold('Some calls, from their spans')}\n\n${drawn.join('\n\n')}`);
  console.log(`\n${style.bold(closingLine(elapsed(), sent))}\n${drawSummary(tally.read(), style)}`);
  console.log(`\n${drawLetters(await orders.tally(), style)}`);
  console.log(`\nMetrics were served at ${address}`);
  limits.close();
  await orders.close();
  await Promise.all([service.close(), upstream.close(), closeServer(server)]);
  await telemetry.shutdown();
}

/** Log lines for the screen, and for the collector where there is one; gives what ends them. */
function startLogging(screen: Screen): () => void {
  const stops = [logToWinston(screen.logger)];
  if (process.env.OTEL_EXPORTER_OTLP_ENDPOINT) stops.push(logToOpenTelemetry());
  return () => {
    for (const stop of stops) stop();
  };
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
