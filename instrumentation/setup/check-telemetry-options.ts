import {
  type Check,
  checkName,
  checkOptions,
  integerFrom,
  isList,
  message,
  numberFrom,
  ofType,
  withFunctions,
} from '../../src/engine/option-checks.ts';
import type { PrometheusAddress } from './metrics-server.ts';
import type { TelemetryOptions } from './telemetry-options.ts';

/** Checks the options of `startTelemetry` before anything is started; see `checkOptions` for what it throws. */
export function checkTelemetryOptions(options: unknown): void {
  checkOptions('the options of startTelemetry', options, CHECKS);
}

const ADDRESS: Readonly<Record<keyof PrometheusAddress, Check>> = {
  host: ofType('the name or address of a host', v => typeof v === 'string' && v !== ''),
  port: integerFrom(0, 65_535),
};

const CHECKS: Readonly<Record<keyof TelemetryOptions, Check>> = {
  serviceName: checkName,
  prometheus: (name, value) => {
    if (value === 'mount') return;
    if (typeof value !== 'object' || value === null || isList(value)) {
      throw new TypeError(message(name, value, "{ host, port } or 'mount'"));
    }
    checkOptions('the options of prometheus', value, ADDRESS);
  },
  spanProcessors: listOf('a list of span processors', withFunctions('a SpanProcessor', 'onStart', 'onEnd', 'shutdown')),
  metricReaders: listOf('a list of metric readers', withFunctions('a MetricReader', 'collect', 'shutdown')),
  // The SDK takes lists of lists of them too.
  instrumentations: ofType('a list of instrumentations', isList),
  logger: ofType('a logger or a function', v => typeof v === 'function' || (typeof v === 'object' && v !== null)),
  shutdownTimeout: numberFrom(0, 600_000, 'a number of milliseconds'),
};

function listOf(what: string, check: Check): Check {
  return (name, value) => {
    if (!isList(value)) throw new TypeError(message(name, value, what));
    for (const [i, each] of value.entries()) check(`${name}[${i}]`, each);
  };
}
