import { type LogRecord, loggingObserver } from '../../instrumentation/loggers/index.ts';
import { noteCallSpan, SpanLink } from '../../instrumentation/span-link.ts';
import type { CallInfo, RetryObserver } from '../../src/engine/observer.ts';

const infoOf = (operation: string): CallInfo => Object.freeze({ operation, maxAttempts: 3, attributes: {} });
const spanOf = (id: number) => ({ spanContext: () => ({ traceId: `trace${id}`, spanId: `span${id}` }) });

/** What an observer that makes spans does, one after the other. */
function tracer(): RetryObserver {
  let calls = 0;
  return {
    call: info => {
      noteCallSpan(info, spanOf(++calls));
      return undefined;
    },
  };
}

describe('the link from a log line to its span', () => {
  it('is the span of the same call, however many calls and loggers there are', () => {
    const [tracing, info] = [tracer(), infoOf('a')];
    const records: LogRecord[][] = [[], []];
    const loggers = records.map(list => loggingObserver(record => list.push(record)));
    const scopes = [1, 2].map(() => {
      tracing.call(info);
      return loggers.map(logger => logger.call(info));
    });
    for (const scope of scopes.reverse().flat()) {
      scope?.end?.({ outcome: 'success', attempts: 2, durationMs: 1, totalDelayMs: 1 });
    }
    for (const list of records) {
      expect(list.map(({ fields }) => [fields.trace_id, fields.span_id])).toEqual([
        ['trace2', 'span2'],
        ['trace1', 'span1'],
      ]);
    }
  });

  it('is none for a logger in front of the tracer, rather than the span of an earlier call', () => {
    const [tracing, info, link] = [tracer(), infoOf('b'), new SpanLink()];
    for (let i = 0; i < 3; i++) {
      expect(link.take(info)).toBeUndefined();
      tracing.call(info);
    }
  });

  it('is none for another policy, and none when the tracer made no span', () => {
    const [info, link] = [infoOf('c'), new SpanLink()];
    noteCallSpan(info, spanOf(1));
    expect(link.take(info)?.spanContext().traceId).toBe('trace1');
    expect(link.take(infoOf('c'))).toBeUndefined();
    noteCallSpan(info, undefined);
    expect(link.take(info)).toBeUndefined();
  });

  it('holds between two copies of the package', () => {
    const info = infoOf('d');
    noteCallSpan(info, spanOf(7));
    jest.isolateModules(() => {
      const copy = jest.requireActual<typeof import('../../instrumentation/span-link.ts')>(
        '../../instrumentation/span-link.ts',
      );
      expect(copy.SpanLink).not.toBe(SpanLink);
      expect(new copy.SpanLink().take(info)?.spanContext().spanId).toBe('span7');
    });
  });
});
