import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { inspect } from 'node:util';
import { logs } from '@opentelemetry/api';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import pino from 'pino';
import { Registry } from 'prom-client';
import { createLogger, format, transports } from 'winston';
import { addDefaultObservers } from '../../../instrumentation/default-observers.ts';
import { logTo, textLine } from '../../../instrumentation/loggers/index.ts';
import { logToWinston } from '../../../instrumentation/loggers/winston.ts';
import { logToOpenTelemetry } from '../../../instrumentation/opentelemetry/index.ts';
import { registerRetryMetrics } from '../../../instrumentation/prometheus/index.ts';
import { startMetrics } from '../../servers/story.ts';
import { startTracing, stopTelemetry } from '../../spans/sdk.ts';
import { scrape } from '../../support/exposition.ts';

/** Every place that what we tell of calls can come to. */
export const SINKS = [
  'span names',
  'span attributes',
  'span events',
  'span status',
  'OpenTelemetry log records',
  'winston as JSON',
  'winston as text',
  'pino',
  'log function',
  'console',
  'text lines',
  'OpenTelemetry metrics',
  'Prometheus with exemplars',
  'process warnings',
  'letters in the store',
  'letters of Kafka',
  'line of last resort',
] as const;

/** The name of a place. */
export type SinkName = (typeof SINKS)[number];

/** All of them at work. */
export interface AllSinks {
  /** Adds what comes to a place that the telemetry does not know. */
  add(sink: SinkName, text: string): void;
  /** What has come to each place since it was asked last; of the metrics, all of it. */
  take(): Promise<Record<SinkName, string>>;
  end(): void;
}

/** Has every default policy of this process watched by everything that there is. */
export function startSinks(): AllSinks {
  const had = process.env[OPT_IN];
  process.env[OPT_IN] = 'logs/dup';
  const found = new Map<SinkName, string>();
  const add = (sink: SinkName, text: string): void => void found.set(sink, `${found.get(sink) ?? ''}${text}\n`);
  const spans = startTracing();
  const reader = startMetrics();
  const records = new InMemoryLogRecordExporter();
  logs.setGlobalLoggerProvider(
    new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter: records })] }),
  );
  const registry = new Registry();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  registerRetryMetrics(registry as never);
  addDefaultObservers();
  const winston = (form: 'json' | 'simple', stream: Writable): ReturnType<typeof createLogger> =>
    createLogger({ level: 'debug', format: format[form](), transports: [new transports.Stream({ stream })] });
  const into = (sink: SinkName): Writable =>
    new Writable({ write: (chunk, _encoding, done) => done(void add(sink, String(chunk))) });
  const removes = [
    logToOpenTelemetry(),
    logToWinston(winston('json', into('winston as JSON'))),
    logToWinston(winston('simple', into('winston as text'))),
    logTo(pino(into('pino'))),
    logTo(record => add('log function', JSON.stringify(record))),
    logTo(record => add('text lines', textLine(record))),
    logTo(new Console(into('console'), into('console'))),
  ];
  const warnings = jest.spyOn(process, 'emitWarning').mockImplementation((...told: unknown[]) => {
    add('process warnings', inspect(told));
  });
  return {
    add,
    take: async () => {
      for (const { name, attributes, events, status, links } of spans.getFinishedSpans()) {
        add('span names', name);
        add('span attributes', JSON.stringify([attributes, links]));
        add('span events', JSON.stringify(events.map(event => [event.name, event.attributes])));
        add('span status', JSON.stringify(status));
      }
      for (const { body, attributes, eventName } of records.getFinishedLogRecords()) {
        add('OpenTelemetry log records', JSON.stringify([body, attributes, eventName]));
      }
      spans.reset();
      records.reset();
      add('OpenTelemetry metrics', await scrape(reader));
      add('Prometheus with exemplars', await registry.metrics());
      const taken = Object.fromEntries(SINKS.map(sink => [sink, found.get(sink) ?? '']));
      found.clear();
      return taken as Record<SinkName, string>;
    },
    end: () => {
      for (const remove of removes) remove();
      warnings.mockRestore();
      if (had === undefined) delete process.env[OPT_IN];
      else process.env[OPT_IN] = had;
      logs.disable();
      stopTelemetry();
    },
  };
}

const OPT_IN = 'OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN';
