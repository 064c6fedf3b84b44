import { Writable } from 'node:stream';
import pino from 'pino';
import { createLogger, format, transports } from 'winston';
import { type AnyLogger, type LogRecord, loggingObserver, logTo } from '../../instrumentation/loggers/index.ts';
import { logToWinston } from '../../instrumentation/loggers/winston.ts';
import { openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import { faultCounts, type RetryObserver, type RetryOptions, retry } from '../../src/core.ts';
import { composeObservers } from '../../src/engine/compose.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { startTracing, stopTelemetry } from '../spans/sdk.ts';
import { settle } from '../support/settle.ts';

class KafkaError extends Error {
  override name = 'KafkaError';
}
const failing = (): never => {
  throw new KafkaError('Broker not available, password=hunter2');
};

async function run(observer: RetryObserver, options: RetryOptions<never> = {}): Promise<void> {
  const clock = new FakeClock();
  const base = { clock, observer, operation: 'kafka_publish', initialDelay: 1000, jitter: false, ...options } as const;
  await settle(
    clock,
    retry(() => 1, base as RetryOptions<number>),
  );
  await settle(
    clock,
    retry(({ number }) => (number < 2 ? failing() : 1), base as RetryOptions<number>),
  );
  await settle(clock, retry(failing, base));
}

function lines(): { stream: Writable; read(): Record<string, unknown>[]; text(): string } {
  let text = '';
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text += chunk;
      done();
    },
  });
  return {
    stream,
    text: () => text,
    read: () =>
      text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
  };
}

const EXPECTED = [
  {
    message: 'Retry attempt 1/3 failed for kafka_publish, waiting 1.00s',
    operation: 'kafka_publish',
    attempt: 1,
    max_attempts: 3,
    delay_seconds: 1,
    error: 'KafkaError: Broker not available, password=[redacted]',
  },
  { message: 'Retry succeeded for kafka_publish', operation: 'kafka_publish', attempt: 2, max_attempts: 3 },
  { message: 'Retry attempt 1/3 failed for kafka_publish, waiting 1.00s' },
  { message: 'Retry attempt 2/3 failed for kafka_publish, waiting 2.00s', delay_seconds: 2 },
  {
    message: 'All retry attempts exhausted for kafka_publish',
    operation: 'kafka_publish',
    attempts: 3,
    error: 'KafkaError: Broker not available, password=[redacted]',
    reason: 'attempts_exhausted',
  },
];
const LEVELS = ['warn', 'info', 'warn', 'warn', 'error'];

describe('log lines', () => {
  it('go to winston', async () => {
    const out = lines();
    const logger = createLogger({
      level: 'debug',
      format: format.json(),
      transports: [new transports.Stream({ stream: out.stream })],
    });
    await run(loggingObserver(logger));
    expect(out.read()).toMatchObject(EXPECTED);
    expect(out.read().map(({ level }) => level)).toEqual(LEVELS);
  });

  it('go to pino', async () => {
    const out = lines();
    await run(
      loggingObserver(
        pino({ level: 'debug', messageKey: 'message', formatters: { level: label => ({ level: label }) } }, out.stream),
      ),
    );
    expect(out.read()).toMatchObject(EXPECTED);
    expect(out.read().map(({ level }) => level)).toEqual(LEVELS);
  });

  it('go to a function', async () => {
    const records: LogRecord[] = [];
    await run(loggingObserver(record => records.push(record)));
    expect(records.map(({ message, fields }) => ({ message, ...fields }))).toMatchObject(EXPECTED);
    expect(records.map(({ level }) => level)).toEqual(LEVELS);
  });

  it('go to the console as one line of JSON each, so that no error can forge a line', async () => {
    const printed: unknown[] = [];
    const spies = (['info', 'warn', 'error'] as const).map(level =>
      jest.spyOn(console, level).mockImplementation((...args: unknown[]) => void printed.push(args[0])),
    );
    const clock = new FakeClock();
    const forger = (): never => {
      throw new Error('x\n{"level":"error","message":"forged"}');
    };
    await settle(clock, retry(forger, { clock, observer: loggingObserver(console), maxAttempts: 1 }));
    for (const spy of spies) spy.mockRestore();
    expect(printed).toHaveLength(1);
    expect(String(printed[0])).not.toContain('\n');
    expect(JSON.parse(String(printed[0]))).toMatchObject({ level: 'error', operation: 'forger', attempts: 1 });
  });

  it('go to any logger with such methods, the next more urgent one where a level is missing', async () => {
    const calls: unknown[][] = [];
    await run(loggingObserver({ error: (...args: never[]) => void calls.push(args) }));
    expect(calls).toHaveLength(5);
    expect(calls[0]).toEqual([EXPECTED[0]?.message, expect.objectContaining({ operation: 'kafka_publish' })]);
  });

  it('have a sentence of their own for each reason', async () => {
    const messages: string[] = [];
    const observer = loggingObserver(({ message, level, fields }) =>
      messages.push(`${level} ${message} (${fields.reason})`),
    );
    const clock = new FakeClock();
    const controller = new AbortController();
    await settle(
      clock,
      retry(
        () => {
          throw new TypeError('x');
        },
        { clock, observer, operation: 'a' },
      ),
    );
    await settle(clock, retry(failing, { clock, observer, operation: 'b', maxElapsed: 10 }));
    const waiting = settle(
      clock,
      retry(failing, {
        clock,
        observer: loggingObserver(
          ({ message, level, fields }) => messages.push(`${level} ${message} (${fields.reason})`),
          { levels: { attempt_failed: 'off' } },
        ),
        operation: 'c',
        signal: controller.signal,
        maxAttempts: 9,
        maxDelay: 1e9,
        initialDelay: 1e9,
      }),
    );
    controller.abort();
    await waiting;
    expect(messages).toEqual([
      'warn Not retried for a: the error is not retryable (not_retryable)',
      'error Retries stopped for b: out of time (deadline_exceeded)',
      'info Retries stopped for c: the caller aborted (aborted)',
    ]);
  });

  it('have their levels by message', async () => {
    const levels: string[] = [];
    await run(
      loggingObserver(({ level }) => levels.push(level), {
        levels: { attempt_failed: 'debug', succeeded: 'off', attempts_exhausted: 'warn' },
      }),
    );
    expect(levels).toEqual(['debug', 'debug', 'debug', 'warn']);
    expect(() => loggingObserver(() => 1, { levels: { succeeded: 'loud' as never } })).toThrow(
      'levels.succeeded is "loud"',
    );
    expect(() => loggingObserver(() => 1, { levels: { nothing: 'info' } as never })).toThrow('levels.nothing');
  });

  it('are not built for a level that is off', async () => {
    const out = lines();
    const logger = createLogger({
      level: 'error',
      format: format.json(),
      transports: [new transports.Stream({ stream: out.stream })],
    });
    const spy = jest.spyOn(logger, 'warn');
    await run(loggingObserver(logger));
    expect(out.read()).toHaveLength(1);
    expect(spy).not.toHaveBeenCalled();
  });

  it('carry the trace and span of the call itself', async () => {
    const exporter = startTracing();
    const records: LogRecord[] = [];
    const observer = composeObservers([
      openTelemetryObserver(),
      loggingObserver(record => records.push(record)),
    ]) as RetryObserver;
    await run(observer);
    const calls = exporter
      .getFinishedSpans()
      .filter(({ name }) => name === 'retry kafka_publish')
      .map(span => span.spanContext());
    expect(records.map(({ fields }) => [fields.trace_id, fields.span_id])).toEqual(
      [1, 1, 2, 2, 2].map(i => [calls[i]?.traceId, calls[i]?.spanId]),
    );
    stopTelemetry();
    records.length = 0;
    await run(observer);
    expect(records.every(({ fields }) => fields.trace_id === undefined)).toBe(true);
  });
});

describe('a logger that fails', () => {
  const failures: [string, AnyLogger][] = [
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('disk full');
      },
    ],
    [
      'has methods that throw',
      {
        warn: () => {
          throw new Error('no');
        },
        info: () => {
          throw new Error('no');
        },
        error: () => {
          throw new Error('no');
        },
      },
    ],
    [
      'cannot tell its level',
      {
        warn: () => undefined,
        isLevelEnabled: () => {
          throw new Error('no');
        },
      } as never,
    ],
    [
      'has a format that throws',
      createLogger({
        format: format(() => {
          throw new Error('format');
        })(),
        transports: [new transports.Console()],
      }),
    ],
  ];
  it.each(failures)('%s: changes nothing for the caller and is counted', async (_name, logger) => {
    const before = faultCounts().get('logger') ?? 0;
    const clock = new FakeClock();
    const observer = loggingObserver(logger);
    expect(
      await settle(
        clock,
        retry(({ number }) => (number < 3 ? failing() : 'ok'), { clock, observer }),
      ),
    ).toEqual({ value: 'ok' });
    await new Promise(resolve => setImmediate(resolve));
    expect(faultCounts().get('logger')).toBeGreaterThan(before);
  });

  it.each([{}, 5, null, undefined, { log: () => 1 }])('is refused when it is none: %j', logger => {
    expect(() => loggingObserver(logger as never)).toThrow(TypeError);
  });
});

describe('logTo', () => {
  it.each([logTo, logToWinston])('adds a logger to the default observers until it is taken away', async add => {
    const out = lines();
    const logger = createLogger({ format: format.json(), transports: [new transports.Stream({ stream: out.stream })] });
    const clock = new FakeClock();
    const remove = add(logger);
    await settle(clock, retry(failing, { clock, maxAttempts: 1 }));
    remove();
    await settle(clock, retry(failing, { clock, maxAttempts: 1 }));
    expect(out.read()).toHaveLength(1);
    expect(runtime.observers).toEqual([]);
  });
});
