import { addObserver } from '../src/engine/default-observer.ts';
import { runtime } from '../src/engine/runtime.ts';
import { channelObserver } from './channel/index.ts';
import { openTelemetryObserver } from './opentelemetry/observer.ts';

/**
 * Has calls watched from here on, by whichever OpenTelemetry SDK is registered. Two copies of the package in a process
 * share this, so that no call is counted twice.
 */
export function addDefaultObservers(): void {
  if (runtime.doorOpened) return;
  runtime.doorOpened = true;
  // In front of whatever was added before: a logger reads the span from the observer before it.
  const later = runtime.observers.splice(0);
  for (const observer of [openTelemetryObserver(), channelObserver(), ...later]) addObserver(observer);
}
