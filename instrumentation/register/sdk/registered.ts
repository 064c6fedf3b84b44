import { createNoopMeter, metrics, ProxyTracerProvider, type TracerProvider, trace } from '@opentelemetry/api';

/** True when an SDK makes spans or takes metrics in this process. */
export function isSdkRegistered(): boolean {
  return tracerProvider() !== undefined || metrics.getMeterProvider().getMeter('retryscope') !== createNoopMeter();
}

/** The provider that an SDK has registered, without the proxy around it. */
export function tracerProvider(): TracerProvider | undefined {
  const provider = trace.getTracerProvider();
  const { getDelegate } = provider as { getDelegate?: () => TracerProvider };
  if (getDelegate === undefined) return provider;
  const delegate = getDelegate.call(provider);
  return delegate === new ProxyTracerProvider().getDelegate() ? undefined : delegate;
}
