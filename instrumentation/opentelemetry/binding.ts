import {
  createNoopMeter,
  type MeterProvider,
  metrics,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { VERSION } from '../../src/engine/version.ts';
import { SCOPE_NAME } from '../names.ts';
import { store } from '../store/store.ts';
import { bindInstruments, unbindInstruments } from './instruments.ts';
import type { OpenTelemetryOptions } from './options.ts';

/**
 * The link to whichever SDK is registered now. Nothing is taken from the API before it is used, and everything is taken
 * anew when another provider is registered: a Meter from before the SDK's start is dead for ever, and the two module
 * instances of API 1.10 do not share their proxies. The check costs a few nanoseconds a call.
 */
export class Binding {
  /** Undefined as long as no SDK makes spans. */
  tracer: Tracer | undefined;
  readonly #options: OpenTelemetryOptions;
  readonly #watchesGlobals: boolean;
  #tracerProvider: TracerProvider | undefined;
  #meterProvider: MeterProvider | undefined;

  constructor(options: OpenTelemetryOptions) {
    this.#options = options;
    this.#watchesGlobals = options.tracerProvider === undefined && options.meterProvider === undefined;
  }

  /** Looks whether other providers are registered by now. */
  refresh(): void {
    if (this.#watchesGlobals && this.#tracerProvider === undefined && nothingIsRegistered()) return;
    const tracerProvider = realProvider(this.#options.tracerProvider ?? trace.getTracerProvider());
    if (tracerProvider !== this.#tracerProvider) {
      this.#tracerProvider = tracerProvider;
      this.tracer = isNoop(tracerProvider) ? undefined : tracerProvider.getTracer(SCOPE_NAME, VERSION);
    }
    if (this.#options.metrics === 'none') return;
    const meterProvider = this.#options.meterProvider ?? metrics.getMeterProvider();
    if (meterProvider !== this.#meterProvider) {
      this.#meterProvider = meterProvider;
      const meter = meterProvider.getMeter(SCOPE_NAME, VERSION);
      // With a reader that takes our cells whole, instruments would show every number twice.
      if (meter === createNoopMeter() || store.readers.has('producer')) unbindInstruments();
      else bindInstruments(meter);
    }
  }
}

/**
 * True in a process without an SDK: nobody has ever registered anything. Asking the API costs five times as much.
 *
 * The trick is to look where the copies of the API meet, whatever their version: their common key has not changed in
 * the whole of 1.x, and cannot without breaking them apart.
 */
function nothingIsRegistered(): boolean {
  return (globalThis as { [API]?: unknown })[API] === undefined;
}

const API = Symbol.for('opentelemetry.js.api.1');

/** A proxy stays the same object when an SDK is registered; what it stands for does not. */
function realProvider(provider: TracerProvider): TracerProvider {
  const { getDelegate } = provider as { getDelegate?: () => TracerProvider };
  return getDelegate === undefined ? provider : getDelegate.call(provider);
}

function isNoop(provider: TracerProvider): boolean {
  return provider.constructor.name === 'NoopTracerProvider';
}
