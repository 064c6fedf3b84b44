import { createNoopMeter, metrics, ProxyTracerProvider, type TracerProvider, trace } from '@opentelemetry/api';
import type { ApiCopy } from './api-copies.ts';

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

/** The provider of loggers that is registered, else the one that stands in for it; undefined in an API without logs. */
export function loggerProvider(copies: readonly ApiCopy[]): unknown {
  const found = copies.find(({ logs }) => logs !== undefined)?.logs as { getLoggerProvider(): unknown } | undefined;
  return found?.getLoggerProvider();
}
