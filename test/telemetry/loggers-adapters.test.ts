import { Console } from 'node:console';
import { Writable } from 'node:stream';
import pino from 'pino';
import { config, createLogger, format, type Logger, transports } from 'winston';
import { type AnyLogger, type LogRecord, loggingObserver, textLine } from '../../instrumentation/loggers/index.ts';
import { faultCounts } from '../../src/core.ts';
import type { CallInfo, CallScope, RetryObserver } from '../../src/engine/observer.ts';

const INFO: CallInfo = Object.freeze({ operation: 'kafka_publish', maxAttempts: 3, attributes: {} });

function memory(): Writable & { text(): string; lines(): Record<string, unknown>[] } {
  let text = '';
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text += chunk;
      done();
    },
  });
  return Object.assign(stream, {
    text: () => text,
    lines: () =>
      text === ''
        ? []
        : text
            .trimEnd()
            .split('\n')
            .map(line => JSON.parse(line)),
  });
}

function winstonTo(stream: Writable, more: object = {}): Logger {
  return createLogger({ format: format.json(), transports: [new transports.Stream({ stream })], ...more });
}

/** A call that fails once with `error`, and then for good. */
function tell(observer: RetryObserver, error: unknown, info = INFO): void {
  const call = observer.call(info) as CallScope;
  call.event?.({ type: 'retry_scheduled', attempt: 1, nextAttempt: 2, delayMs: 2150, delaySource: 'backoff', error });
  call.end?.({ outcome: 'failure', attempts: 2, durationMs: 9, totalDelayMs: 2, reason: 'attempts_exhausted', error });
}

const FORGED = new Error('x\n{"level":"error"}\r\u001b[2J\u2028\u202e');
const FORGED_TEXT = 'Error: x\\n{"level":"error"}\\r\\u001b[2J\\u2028\\u202e';

describe('winston', () => {
  it('gets its metadata flat, and nothing that it would rewrite', () => {
    const out = memory();
    tell(loggingObserver(winstonTo(out)), new Error('down'));
    expect(out.lines()).toEqual([
      {
        level: 'warn',
        message: 'Retry attempt 1/3 failed for kafka_publish, waiting 2.15s',
        operation: 'kafka_publish',
        attempt: 1,
        max_attempts: 3,
        delay_seconds: 2.15,
        error: 'Error: down',
      },
      {
        level: 'error',
        message: 'All retry attempts exhausted for kafka_publish',
        operation: 'kafka_publish',
        attempts: 2,
        error: 'Error: down',
        reason: 'attempts_exhausted',
      },
    ]);
  });

  it('keeps its fields when the name of an operation looks like a format', () => {
    const out = memory();
    tell(loggingObserver(winstonTo(out)), 1, { ...INFO, operation: '100%s' });
    expect(out.lines()[0]).toMatchObject({
      level: 'warn',
      message: 'Retry attempt 1/3 failed for 100%s, waiting 2.15s',
      operation: '100%s',
    });
  });

  it('keeps the metadata of a child and the defaults of the logger', () => {
    const out = memory();
    const logger = winstonTo(out, { defaultMeta: { service: 'orders' } });
    tell(loggingObserver(logger.child({ tenant: 'a' })), 1);
    expect(out.lines()[0]).toMatchObject({ service: 'orders', tenant: 'a', operation: 'kafka_publish' });
  });

  it('is used at the levels that it has', () => {
    const out = memory();
    tell(loggingObserver(winstonTo(out, { levels: config.syslog.levels })), 1);
    tell(loggingObserver(winstonTo(out, { levels: { error: 0, low: 1 }, level: 'low' })), 1);
    expect(out.lines().map(({ level }) => level)).toEqual(['warning', 'error', 'error', 'error']);
    expect(() => loggingObserver(winstonTo(out, { levels: { high: 0, low: 1 }, level: 'low' }))).toThrow(TypeError);
  });

  it('follows a level that changes while it runs', () => {
    const out = memory();
    const logger = winstonTo(out, { level: 'error' });
    const observer = loggingObserver(logger);
    tell(observer, 1);
    logger.level = 'warn';
    tell(observer, 1);
    expect(out.lines().map(({ level }) => level)).toEqual(['error', 'warn', 'error']);
  });

  it('is not written to once it has been closed', async () => {
    const logger = winstonTo(memory());
    const observer = loggingObserver(logger);
    const errors: unknown[] = [];
    logger.on('error', error => errors.push(error));
    logger.end();
    const before = faultCounts().get('logger') ?? 0;
    tell(observer, 1);
    await new Promise(resolve => setImmediate(resolve));
    expect(errors).toEqual([]);
    expect(faultCounts().get('logger')).toBe(before + 2);
  });

  it('gets no line break or escape sequence, whatever its format', () => {
    const out = memory();
    tell(loggingObserver(winstonTo(out, { format: format.printf(line => `${line.message} ${line.error}`) })), FORGED, {
      ...INFO,
      operation: 'a\nb',
    });
    expect(out.text()).toBe(
      `Retry attempt 1/3 failed for a\\nb, waiting 2.15s ${FORGED_TEXT}\nAll retry attempts exhausted for a\\nb ${FORGED_TEXT}\n`,
    );
  });
});

describe('pino', () => {
  it('gets the fields first', () => {
    const out = memory();
    tell(loggingObserver(pino({ base: null, timestamp: false }, out).child({ tenant: 'a' })), new Error('down %s'));
    expect(out.lines()[0]).toEqual({
      level: 40,
      tenant: 'a',
      operation: 'kafka_publish',
      attempt: 1,
      max_attempts: 3,
      delay_seconds: 2.15,
      error: 'Error: down %s',
      msg: 'Retry attempt 1/3 failed for kafka_publish, waiting 2.15s',
    });
  });

  it('is not asked for a line of a level that is off', () => {
    const out = memory();
    tell(loggingObserver(pino({ level: 'error' }, out)), 1);
    tell(loggingObserver(pino({ level: 'silent' }, out)), 1);
    expect(out.lines().map(({ level }) => level)).toEqual([50]);
  });
});

describe('other loggers', () => {
  it('a console of any kind gets one line of JSON', () => {
    const out = memory();
    tell(loggingObserver(new Console(out, out)), FORGED);
    expect(out.lines()).toHaveLength(2);
    expect(out.lines()[0]).toMatchObject({ level: 'warn', operation: 'kafka_publish', error: FORGED_TEXT });
  });

  it('one like bunyan gets the fields first', () => {
    const calls: unknown[][] = [];
    tell(loggingObserver({ fields: {}, warn: (...args: never[]) => calls.push(args) } as AnyLogger), 1);
    expect(calls).toEqual([[expect.objectContaining({ attempt: 1 }), expect.stringContaining('Retry attempt')]]);
  });

  it('one of which nothing more is known gets message and fields, with itself as this', () => {
    const logger = {
      seen: [] as unknown[][],
      warn(...args: unknown[]) {
        this.seen.push(args);
      },
    };
    tell(loggingObserver(logger as AnyLogger), 1);
    expect(logger.seen).toEqual([[expect.stringContaining('Retry attempt'), expect.objectContaining({ attempt: 1 })]]);
  });

  it('a level that goes nowhere is dropped in silence', () => {
    const before = faultCounts().get('logger') ?? 0;
    const lines: unknown[] = [];
    const observer = loggingObserver({ info: (line: never) => lines.push(line) });
    tell(observer, 1);
    observer.call(INFO)?.end?.({ outcome: 'success', attempts: 2, durationMs: 1, totalDelayMs: 1 });
    expect(lines).toEqual(['Retry succeeded for kafka_publish']);
    expect(faultCounts().get('logger') ?? 0).toBe(before);
  });
});

describe('faults', () => {
  const broken = (): never => {
    throw new Error('no');
  };
  it.each<[string, AnyLogger]>([
    ['a function that throws', broken],
    ['a method that throws', { warn: broken, error: broken }],
    ['an answer about levels that throws', { warn: () => 1, error: () => 1, isLevelEnabled: broken } as AnyLogger],
    ['a promise that rejects', async () => broken()],
    ['a thenable that throws', () => ({ then: broken })],
    ['a then that cannot be read', () => Object.defineProperty({}, 'then', { get: broken })],
  ])('%s is counted and goes no further', async (_name, logger) => {
    const before = faultCounts().get('logger') ?? 0;
    tell(loggingObserver(logger), 1);
    await new Promise(resolve => setImmediate(resolve));
    expect(faultCounts().get('logger')).toBe(before + 2);
  });

  it('a method that goes missing later is no fault', () => {
    const logger: { warn?: () => void; error?: () => void } = { warn: () => undefined, error: () => undefined };
    const observer = loggingObserver(logger);
    const before = faultCounts().get('logger') ?? 0;
    delete logger.warn;
    delete logger.error;
    tell(observer, 1);
    expect(faultCounts().get('logger') ?? 0).toBe(before);
  });
});

describe('records', () => {
  const records: LogRecord[] = [];
  const observer = loggingObserver(record => records.push(record));
  beforeEach(() => {
    records.length = 0;
  });

  it('tell no limit where only time bounds a call', () => {
    tell(observer, 1, { ...INFO, maxAttempts: Infinity });
    expect(records[0]?.message).toBe('Retry attempt 1 failed for kafka_publish, waiting 2.15s');
    expect(records[0]?.fields).not.toHaveProperty('max_attempts');
  });

  it('hold strings and numbers only, for any error', () => {
    tell(observer, Object.assign(new Error('password=hunter2', { cause: new Error('y') }), { code: 'E_X', big: {} }));
    expect(records[0]?.fields.error).toBe('E_X: password=[redacted]; caused by: y');
    for (const value of records.flatMap(({ fields }) => Object.values(fields))) {
      expect(['string', 'number']).toContain(typeof value);
    }
  });

  it('are none for a success at the first attempt, which costs no object', () => {
    const call = observer.call(INFO);
    expect(observer.call(INFO)).toBe(call);
    expect(observer.call({ ...INFO })).not.toBe(call);
    call?.end?.({ outcome: 'success', attempts: 1, durationMs: 1, totalDelayMs: 0 });
    expect(records).toEqual([]);
  });

  it('can be written as text', () => {
    tell(observer, FORGED);
    expect(records.map(textLine)).toEqual([
      `WARN  Retry attempt 1/3 failed for kafka_publish, waiting 2.15s operation=kafka_publish attempt=1 max_attempts=3 delay_seconds=2.15 error=${JSON.stringify(FORGED_TEXT)}`,
      `ERROR All retry attempts exhausted for kafka_publish operation=kafka_publish attempts=2 error=${JSON.stringify(FORGED_TEXT)} reason=attempts_exhausted`,
    ]);
    expect(textLine({ level: 'info', message: 'a\tb', fields: { error: 'c\u0007' } })).toBe(
      'INFO  a\\tb error="c\\\\u0007"',
    );
  });
});

describe('options', () => {
  it.each([
    [{ level: {} }, '"level" is not an option of a logger; there is levels'],
    [{ levels: { retried: 'info' } }, 'levels.retried is not a message; the messages are attempt_failed, succeeded,'],
    [{ levels: { aborted: 'fatal' } }, 'levels.aborted is "fatal"; it must be debug, info, warn, error, off'],
    [{ levels: { aborted: null } }, 'levels.aborted is null'],
    [{ levels: { aborted: 1n } }, 'levels.aborted is 1; it must be'],
  ])('%p are refused', (options, message) => {
    expect(() => loggingObserver(() => 1, options as never)).toThrow(message);
    expect(() => loggingObserver(() => 1, options as never)).toThrow(TypeError);
  });

  it('that are undefined are defaults', () => {
    const records: LogRecord[] = [];
    tell(
      loggingObserver(record => records.push(record), { levels: { attempt_failed: undefined } } as never),
      1,
    );
    expect(records.map(({ level }) => level)).toEqual(['warn', 'error']);
  });
});
