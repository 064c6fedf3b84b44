import {
  createNoopMeter,
  type MeterProvider,
  metrics,
  ProxyTracerProvider,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { VERSION } from '../../src/engine/version.ts';
import { SCOPE_NAME } from '../names.ts';
import { store } from '../store/store.ts';
import { bindInstruments, unbindInstruments } from './instruments.ts';
import { isAnythingRegistered, warnOfHiddenSdk } from './registration.ts';
import type { Settings } from './settings.ts';

/** Every so many calls the API is asked although it looks as if nothing was registered; a power of two. */
const ASK_EVERY = 1024;

/**
 * The link to whichever SDK is registered now. Nothing is taken from the API before it is used, and everything is taken
 * anew when another provider is registered: a Meter from before the SDK's start is dead for ever, and the two module
 * instances of API 1.10 do not share their proxies. The check costs a few nanoseconds a call.
 */
export class Binding {
  /** Undefined as long as no SDK makes spans. */
  tracer: Tracer | undefined;
  readonly #settings: Settings;
  #tracerProvider: TracerProvider | undefined;
  #meterProvider: MeterProvider | undefined;
  /** True when the last look found no SDK at all. */
  #isIdle = false;
  #looks = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Looks whether other providers are registered by now. */
  refresh(): void {
    const { tracerProvider, meterProvider } = this.#settings.options;
    if (this.#isIdle && tracerProvider === undefined && meterProvider === undefined && !isAnythingRegistered()) {
      // The answer comes from where all copies of the API meet, not from the API itself: never rely on it for good.
      if ((++this.#looks & (ASK_EVERY - 1)) !== 0) return;
    }
    this.#bindTracer(realProvider(tracerProvider ?? trace.getTracerProvider()));
    if (this.#settings.options.metrics !== 'none') this.#bindMeter(meterProvider ?? metrics.getMeterProvider());
  }

  #bindTracer(provider: TracerProvider): void {
    if (provider === this.#tracerProvider) return;
    this.#tracerProvider = provider;
    const isReal = provider !== noopTracerProvider();
    this.tracer = isReal ? provider.getTracer(SCOPE_NAME, VERSION) : undefined;
    this.#isIdle = !isReal;
    if (!isReal) warnOfHiddenSdk(trace.getTracerProvider());
  }

  #bindMeter(provider: MeterProvider): void {
    if (provider === this.#meterProvider) return;
    const before = this.#meterProvider;
    this.#meterProvider = provider;
    const meter = provider.getMeter(SCOPE_NAME, VERSION);
    // With a reader that takes our cells whole, instruments would show every number twice.
    if (meter !== createNoopMeter() && !store.readers.has('producer')) bindInstruments(provider, meter);
    else if (store.meterProvider === before) unbindInstruments();
  }
}

/** A proxy stays the same object when an SDK is registered; what it stands for does not. */
function realProvider(provider: TracerProvider): TracerProvider {
  const { getDelegate } = provider as { getDelegate?: () => TracerProvider };
  return getDelegate === undefined ? provider : getDelegate.call(provider);
}

/** What a proxy stands for before an SDK is registered: one object for each copy of the API. */
function noopTracerProvider(): TracerProvider {
  return new ProxyTracerProvider().getDelegate();
}
