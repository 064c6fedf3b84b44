import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface DemoOptions {
  /** How long the load lasts, in seconds; Infinity with `--forever`. */
  readonly seconds: number;
  /** Seed of everything that happens by chance. */
  readonly seed: number;
  /** Port of /metrics; 0 takes a free one. */
  readonly port: number;
  /** Port of the service; 0 takes a free one. */
  readonly servicePort: number;
  readonly colour: 'on' | 'off';
}

export const HELP = `A flaky upstream, a small service that retries, and what an on-call engineer sees of it.

  npm run demo                      about 30 seconds
  npm run demo -- --forever         until Ctrl-C
  npm run demo -- --seconds 10      shorter or longer
  npm run demo -- --seed 7          another course of events
  npm run demo -- --port 9464       port of /metrics (0: any free one)
  npm run demo -- --service-port 0  port of the service (0, the default: any free one)
  npm run demo -- --no-color        plain text, as with NO_COLOR=1

Break the upstream on purpose, and mend it (healthy, flaky, outage, recovery; the service's address is printed):

  curl -X PUT http://127.0.0.1:8080/upstream/outage
  curl -X DELETE http://127.0.0.1:8080/upstream       back to the course of events

Set OTEL_EXPORTER_OTLP_ENDPOINT to send spans and log lines to a collector as well, REDIS_URL to keep the retry budget
in a Redis, and DEMO_HOST to have the service listen on another address than 127.0.0.1.`;

/**
 * Reads the command line; `'help'` when it asks for help.
 *
 * @throws RangeError or TypeError for a wrong option
 */
export function readOptions(args: readonly string[], isTerminal: 'terminal' | 'pipe'): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      forever: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '30' },
      seed: { type: 'string', default: '1' },
      port: { type: 'string', default: process.env.OTEL_EXPORTER_PROMETHEUS_PORT ?? '9464' },
      'service-port': { type: 'string', default: '0' },
      'no-color': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const plain = values['no-color'] || Boolean(process.env.NO_COLOR) || isTerminal === 'pipe';
  return {
    seconds: values.forever ? Infinity : numberIn('--seconds', values.seconds, 1, 86_400),
    seed: numberIn('--seed', values.seed, 0, 2 ** 32 - 1),
    port: numberIn('--port', values.port, 0, 65_535),
    servicePort: numberIn('--service-port', values['service-port'], 0, 65_535),
    colour: plain && !process.env.FORCE_COLOR ? 'off' : 'on',
  };
}

function numberIn(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!(value >= least && value <= most))
    throw new RangeError(`${name} is ${text}; it must be a number from ${least} to ${most}`);
  return value;
}
