import { context, SpanKind, type SpanOptions, type Tracer, type TracerProvider } from '@opentelemetry/api';
import type { RetryContextProcessor } from '../opentelemetry/index.ts';
import { tracerProvider } from './sdk/registered.ts';

/**
 * Has client spans of HTTP requests pass through `processor` when they start, whichever SDK makes them. Span processors
 * are given to an SDK when it is made, and the app's is made elsewhere: so the one way in is the function that every
 * instrumentation starts spans with. It is patched once for each class of tracers.
 */
export class ResendMarker {
  readonly #processor: Pick<RetryContextProcessor, 'onStart'>;
  #seen: TracerProvider | undefined;

  constructor(processor: Pick<RetryContextProcessor, 'onStart'>) {
    this.#processor = processor;
  }

  /** Looks whether another SDK is registered by now; a few nanoseconds where none is. */
  refresh(): void {
    const provider = tracerProvider();
    if (provider === this.#seen) return;
    this.#seen = provider;
    if (provider !== undefined) this.#patch(provider.getTracer('retryscope'));
  }

  #patch(tracer: Tracer): void {
    const prototype: unknown = Object.getPrototypeOf(tracer);
    if (typeof prototype !== 'object' || prototype === null || !Object.hasOwn(prototype, 'startSpan')) return;
    const owner = prototype as Tracer;
    if (patched.has(owner)) return;
    patched.add(owner);
    const processor = this.#processor;
    const { startSpan } = owner;
    owner.startSpan = function (this: Tracer, name: string, options?: SpanOptions, parent = context.active()) {
      const span = startSpan.call(this, name, options, parent);
      if (options?.kind === SpanKind.CLIENT && span.isRecording()) processor.onStart(span, parent);
      return span;
    };
  }
}

/** Shared by the copies of the package in a process. */
const KEY = Symbol.for('retryscope.tracers.1');
const shared = globalThis as { [KEY]?: WeakSet<object> };
const patched: WeakSet<object> = shared[KEY] ?? new WeakSet();
shared[KEY] = patched;
