import { Writable } from 'node:stream';
import { logs } from '@opentelemetry/api';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import pino from 'pino';
import { createLogger, format, transports } from 'winston';
import { type LogRecord, logTo, textLine } from '../../instrumentation/loggers/index.ts';
import { logToOpenTelemetry, openTelemetryObserver } from '../../instrumentation/opentelemetry/index.ts';
import { faultCounts } from '../../src/core.ts';
import {
  DeadLetterQueue,
  type DeadLetterStore,
  defineOperation,
  MemoryDeadLetterStore,
  OperationRegistry,
  redrive,
  setLetterTracing,
} from '../../src/recovery/dead-letters/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { storeWith } from '../dead-letters/support/store-with.ts';
import { startTracing, stopTelemetry } from '../spans/sdk.ts';
import { settle } from '../support/settle.ts';

setLetterTracing(undefined);
const observer = openTelemetryObserver();

let clock: FakeClock;
let store: MemoryDeadLetterStore;
let records: LogRecord[];
let stops: (() => void)[];
let answer: () => unknown;

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryDeadLetterStore({ clock });
  records = [];
  stops = [];
  answer = refuse;
});
afterEach(() => {
  for (const stop of stops) stop();
  stopTelemetry();
});

function refuse(): never {
  throw Object.assign(new Error('down: password=hunter2'), { code: 'ECONNRESET' });
}

const log = (): void => {
  stops.push(logTo(record => records.push(record)));
};

/** An operation on a queue, with everything that can be done to its letters. */
function setUp(on: DeadLetterStore = store, operation = 'charge_card') {
  const registry = new OperationRegistry();
  const queue = new DeadLetterQueue({ name: 'payments', store: on, clock, lastResort: () => undefined });
  const charge = defineOperation(operation, async (_order: { id: number; note: string }) => answer(), {
    clock,
    registry,
    observer,
    maxAttempts: 1,
    deadLetter: queue,
  });
  return {
    queue,
    fail: () =>
      settle(
        clock,
        charge({ id: 1, note: 'for Ms Smith' }).catch(() => undefined),
      ),
    redrive: (quarantineAfter = 5) => settle(clock, redrive(queue, { registry, quarantineAfter })),
  };
}

/** Everything that can happen to letters, once each. */
async function everything(): Promise<void> {
  const small = new MemoryDeadLetterStore({ clock, retention: { maxCount: 1, whenFull: 'drop-oldest' } });
  const { fail, redrive, queue } = setUp(small);
  await fail();
  await clock.advance(1);
  await fail();
  await redrive();
  answer = () => 'done';
  await redrive();
  answer = refuse;
  await fail();
  await redrive(1);
  await queue.purge({});
  await setUp(
    storeWith(store, { put: () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOSPC' })) }),
  ).fail();
}

const ID = expect.stringMatching(/^[\da-f-]{36}$/);
const ONE = { queue: 'payments', operation: 'charge_card', letter_id: ID };
const ERROR = 'ECONNRESET: down: password=[redacted]';
const STORED = { level: 'warn', message: 'Dead letter stored for charge_card', ...ONE };
const EVERYTHING = [
  STORED,
  STORED,
  { level: 'warn', message: 'Dead letters evicted from payments', queue: 'payments', letters: 1 },
  { level: 'warn', message: 'Dead letter failed again for charge_card', ...ONE, redrive: 1, error: ERROR },
  { level: 'info', message: 'Dead letter redriven for charge_card', ...ONE, redrive: 2 },
  STORED,
  { level: 'warn', message: 'Dead letter failed again for charge_card', ...ONE, redrive: 1, error: ERROR },
  {
    level: 'error',
    message: 'Dead letter quarantined for charge_card',
    ...ONE,
    redrive: 1,
    reason: 'redrive 1 of 1 failed',
  },
  { level: 'info', message: 'Dead letters purged from payments', queue: 'payments', letters: 1 },
  {
    level: 'error',
    message: 'Dead letter not stored for charge_card: the store failed',
    ...ONE,
    error: 'ENOSPC',
  },
];

function textStream(): { readonly stream: Writable; read(): unknown[] } {
  let text = '';
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text += chunk;
      done();
    },
  });
  return {
    stream,
    read: () =>
      text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
  };
}

describe('what happens to dead letters is told in a line', () => {
  it('by a function, and nothing of their payload', async () => {
    log();
    await everything();
    expect(records.map(({ level, message, fields }) => ({ level, message, ...fields }))).toEqual(EVERYTHING);
    expect(JSON.stringify(records)).not.toMatch(/Smith|hunter2/);
  });

  it('by winston', async () => {
    const { stream, read } = textStream();
    stops.push(logTo(createLogger({ format: format.json(), transports: [new transports.Stream({ stream })] })));
    await everything();
    expect(read()).toEqual(EVERYTHING);
  });

  it('by pino', async () => {
    const { stream, read } = textStream();
    const options = { messageKey: 'message', base: null, timestamp: false } as const;
    stops.push(logTo(pino({ ...options, formatters: { level: label => ({ level: label }) } }, stream)));
    await everything();
    expect(read()).toEqual(EVERYTHING);
  });

  it('by the console, as one line of JSON each', async () => {
    const printed: string[] = [];
    const spies = (['info', 'warn', 'error'] as const).map(level =>
      jest.spyOn(console, level).mockImplementation((...args: unknown[]) => void printed.push(String(args[0]))),
    );
    stops.push(logTo(console));
    await everything();
    for (const spy of spies) spy.mockRestore();
    expect(printed.map(line => JSON.parse(line))).toEqual(EVERYTHING);
  });

  it('by OpenTelemetry, in the trace of the call', async () => {
    const exporter = startTracing();
    const memory = new InMemoryLogRecordExporter();
    logs.setGlobalLoggerProvider(
      new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter: memory })] }),
    );
    stops.push(logToOpenTelemetry(), () => logs.disable());
    await setUp().fail();
    const [record] = memory.getFinishedLogRecords();
    const attempt = exporter.getFinishedSpans().find(({ name }) => name === 'attempt charge_card');
    expect(record).toMatchObject({
      severityText: 'WARN',
      body: 'Dead letter stored for charge_card',
      attributes: ONE,
      spanContext: { traceId: attempt?.spanContext().traceId, spanId: attempt?.spanContext().spanId },
    });
  });
});

it('carries the span of the call for a letter that is kept, and that of the redrive after it', async () => {
  const exporter = startTracing();
  log();
  const { fail, redrive } = setUp();
  await fail();
  answer = () => 'done';
  await redrive();
  const spans = exporter.getFinishedSpans();
  const idsOf = (name: string) => {
    const { traceId: trace_id, spanId: span_id } = spans.find(span => span.name === name)?.spanContext() ?? {};
    return { trace_id, span_id };
  };
  expect(records.map(({ message, fields: { trace_id, span_id } }) => [message, { trace_id, span_id }])).toEqual([
    ['Dead letter stored for charge_card', idsOf('attempt charge_card')],
    ['Dead letter redriven for charge_card', idsOf('redrive charge_card')],
  ]);
});

it('follows the levels, and ends with the logger', async () => {
  stops.push(logTo(record => records.push(record), { levels: { letter_stored: 'error', letter_redriven: 'off' } }));
  const { fail, redrive } = setUp();
  await fail();
  answer = () => 'done';
  await redrive();
  expect(records.map(({ level, message }) => [level, message])).toEqual([
    ['error', 'Dead letter stored for charge_card'],
  ]);
  stops.pop()?.();
  answer = refuse;
  await fail();
  expect(records).toHaveLength(1);
});

it('forges no line, whatever a name has in it', async () => {
  log();
  await setUp(store, 'a\nERROR forged').fail();
  const [record] = records as [LogRecord];
  expect(textLine(record)).not.toContain('\n');
  expect(record.message).toBe('Dead letter stored for a\\nERROR forged');
});

it('counts a logger that throws or rejects, and keeps it from the letter', async () => {
  const before = faultCounts().get('logger') ?? 0;
  stops.push(
    logTo(() => {
      throw new Error('closed');
    }),
    logTo(() => Promise.reject(new Error('closed'))),
  );
  log();
  const { fail, queue } = setUp();
  await fail();
  await new Promise(setImmediate);
  expect(faultCounts().get('logger')).toBe(before + 2);
  expect([queue.counts.stored, records.length]).toEqual([1, 1]);
});
