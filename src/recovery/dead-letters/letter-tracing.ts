import { reportFault } from '../../engine/faults.ts';
import { read } from '../../engine/read.ts';
import type { DeadLetter, LetterTrace } from './letter.ts';
import type { RedriveEvent } from './redrive-options.ts';

/** What dead letters ask of whoever traces the process. */
export interface LetterTracing {
  /** The span around the present code. */
  current(): LetterTrace | undefined;
  /** Calls `fn` once, in a span for the time that it takes to keep a letter, and gives its promise back. Default: no span. */
  keep?(letter: DeadLetter, fn: () => Promise<LetterEnd>): Promise<LetterEnd>;
  /** Calls `fn` once, in a span that links to where the letter's call ended, and gives its promise back. */
  redrive(letter: DeadLetter, fn: () => Promise<LetterEnd>): Promise<LetterEnd>;
}

/** What became of a letter that was to be kept, or was sent again. */
export interface LetterEnd {
  readonly result: 'stored' | 'not_stored' | RedriveEvent['result'];
  /** Where that is a failure: the kind of error, and its message where that may be told, redacted. */
  readonly error?: { readonly type: string; readonly message?: string } | undefined;
}

/** Sets who traces the dead letters of this process, in all copies of the package; undefined for nobody. */
export function setLetterTracing(tracing: LetterTracing | undefined): void {
  shared[KEY] = tracing;
}

/** True once somebody traces. */
export function isTracingLetters(): boolean {
  return shared[KEY] !== undefined;
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

/** Keeps a letter, in a span if somebody traces. `fn` is called once, and its promise is what comes back. */
export function traceKeep<End extends LetterEnd>(letter: DeadLetter, fn: () => Promise<End>): Promise<End> {
  return inSpan(fn, once => shared[KEY]?.keep?.(letter, once));
}

/** Runs a redrive of a letter, in a span if somebody traces. `fn` is called once, and its promise is what comes back. */
export function traceRedrive<End extends LetterEnd>(letter: DeadLetter, fn: () => Promise<End>): Promise<End> {
  return inSpan(fn, once => shared[KEY]?.redrive(letter, once));
}

function inSpan<End>(
  fn: () => Promise<End>,
  trace: (once: () => Promise<End>) => Promise<unknown> | undefined,
): Promise<End> {
  if (shared[KEY] === undefined) return fn();
  let running: Promise<End> | undefined;
  const once = (): Promise<End> => {
    running ??= fn();
    return running;
  };
  try {
    trace(once)?.catch(() => undefined);
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
