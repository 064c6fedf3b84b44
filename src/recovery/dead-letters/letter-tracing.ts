import { reportFault } from '../../engine/faults.ts';
import { read } from '../../engine/read.ts';
import type { DeadLetter, LetterTrace } from './letter.ts';

/** What dead letters ask of whoever traces the process. */
export interface LetterTracing {
  /** The span around the present code. */
  current(): LetterTrace | undefined;
  /** Calls `fn` once, in a span that links to where the letter's call ended, and gives its promise back. */
  redrive<T>(letter: DeadLetter, fn: () => Promise<T>): Promise<T>;
}

/** Sets who traces the dead letters of this process, in all copies of the package; undefined for nobody. */
export function setLetterTracing(tracing: LetterTracing | undefined): void {
  shared[KEY] = tracing;
}

/** The span around the present code, if somebody traces. Never throws. */
export function currentTrace(): LetterTrace | undefined {
  const tracing = shared[KEY];
  if (tracing === undefined) return undefined;
  try {
    const trace: unknown = tracing.current();
    if (trace === undefined) return undefined;
    const [traceId, spanId] = [read(trace, 'traceId'), read(trace, 'spanId')];
    return isHex(traceId, 32) && isHex(spanId, 16) ? { traceId, spanId } : undefined;
  } catch (fault) {
    reportFault('tracer', fault);
    return undefined;
  }
}

/** Runs a redrive of a letter, in a span if somebody traces. `fn` is called once, and its promise is what comes back. */
export function traceRedrive<T>(letter: DeadLetter, fn: () => Promise<T>): Promise<T> {
  const tracing = shared[KEY];
  if (tracing === undefined) return fn();
  let running: Promise<T> | undefined;
  const once = (): Promise<T> => {
    running ??= fn();
    return running;
  };
  try {
    tracing.redrive(letter, once).catch(() => undefined);
  } catch (fault) {
    reportFault('tracer', fault);
  }
  return once();
}

const KEY = Symbol.for('retryscope.letter-tracing.1');
const shared = globalThis as { [KEY]?: LetterTracing | undefined };

function isHex(text: unknown, digits: number): text is string {
  return typeof text === 'string' && text.length === digits && /^[\da-f]+$/.test(text);
}
