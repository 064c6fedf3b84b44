import type { ApiCopy } from './api-copies.ts';
import { loggerProvider, tracerProvider } from './registered.ts';

interface Part {
  disable(): void;
  [setter: string]: unknown;
}

/** By name, the function through which each part is registered. Metrics and spans make an SDK; the others may stand alone. */
const SETTERS: readonly { readonly part: string; readonly setter: string; readonly takes: 'all' | 'part' }[] = [
  { part: 'trace', setter: 'setGlobalTracerProvider', takes: 'all' },
  { part: 'metrics', setter: 'setGlobalMeterProvider', takes: 'all' },
  { part: 'logs', setter: 'setGlobalLoggerProvider', takes: 'part' },
  { part: 'context', setter: 'setGlobalContextManager', takes: 'part' },
  { part: 'propagation', setter: 'setGlobalPropagator', takes: 'part' },
];

/**
 * Lets an SDK that the app starts later take the place of the one that is registered now. The API itself refuses the
 * second SDK, with a message that nobody sees, so that an app which exports its own telemetry would lose all of it.
 *
 * @param copies of the API, as there may be several in a process
 * @param loggersBefore what `loggerProvider` gave before the SDK was started
 * @param stop called when the place has been taken
 */
export function giveWay(copies: readonly ApiCopy[], loggersBefore: unknown, stop: () => void): void {
  const ours = new Set(SETTERS.map(({ part }) => part));
  // An SDK that makes no spans or log records has not registered that part. Disabling it would cut off the tracers and
  // loggers that wait for a provider, or take away the app's own.
  if (tracerProvider() === undefined) ours.delete('trace');
  if (loggerProvider(copies) === loggersBefore) ours.delete('logs');
  const release = (part: string): void => {
    if (!ours.delete(part)) return;
    for (const copy of copies) partOf(copy, part)?.disable();
  };
  const undo: (() => void)[] = [];
  const releaseAll = (): void => {
    for (const restore of undo.splice(0)) restore();
    for (const { part } of SETTERS) release(part);
    stop();
  };
  for (const { part, setter, takes } of SETTERS) {
    for (const owner of new Set(copies.map(copy => partOf(copy, part)))) {
      const set = owner?.[setter];
      if (owner === undefined || typeof set !== 'function') continue;
      owner[setter] = (...args: unknown[]): unknown => {
        if (takes === 'all') releaseAll();
        else release(part);
        return Reflect.apply(set, owner, args);
      };
      undo.push(() => {
        delete owner[setter];
      });
    }
  }
}

function partOf(copy: ApiCopy, part: string): Part | undefined {
  const found = copy[part];
  return typeof found === 'object' && found !== null ? (found as Part) : undefined;
}
