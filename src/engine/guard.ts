import { reportFault } from './faults.ts';
import { guarded } from './guarded.ts';
import type { AttemptInfo, CallInfo, CallScope, RetryEvent, RetryObserver, Scope } from './observer.ts';
import { handleStrayPromise } from './stray-promise.ts';

/** Asks an observer whether it wants to watch a call. An observer that throws does not. */
export function openCall(observer: RetryObserver, info: CallInfo): CallScope | undefined {
  // Written out, since every call of a process comes through here, whether or not an SDK is there to watch it.
  try {
    const scope = observer.call(info);
    return scope === undefined || handleStrayPromise('observer', scope) ? undefined : scopeOrNothing(scope);
  } catch (fault) {
    reportFault('observer', fault);
    return undefined;
  }
}

/** Asks a call's scope whether it wants to watch an attempt. A scope that throws does not. */
export function openAttempt<End>(
  scope: { attempt?(info: AttemptInfo): Scope<End> | undefined },
  info: AttemptInfo,
): Scope<End> | undefined {
  return scopeOrNothing(guarded('observer', () => scope.attempt?.(info)));
}

/**
 * Runs `fn` exactly once, inside the scope's context if the scope manages to place it there, and gives back what
 * `fn` returned or threw, whatever the scope makes of it.
 */
export function runInside<R>(scope: { run?<T>(fn: () => T): T } | undefined, fn: () => R): R {
  if (scope === undefined || guarded('observer', () => scope.run !== undefined) !== true) return fn();
  let result: { readonly value: R } | { readonly thrown: unknown } | undefined;
  const once = (): R => {
    if (result !== undefined) {
      reportFault('observer', new Error('run called its function twice'));
    } else {
      result = { thrown: undefined };
      try {
        result = { value: fn() };
      } catch (thrown) {
        result = { thrown };
      }
    }
    if ('value' in result) return result.value;
    throw result.thrown;
  };
  try {
    const returned = scope.run?.(once);
    // Almost always the very promise of the attempt, which is awaited elsewhere.
    if (returned !== (result as { readonly value?: R } | undefined)?.value) handleStrayPromise('observer', returned);
  } catch (fault) {
    if (result === undefined || !('thrown' in result) || !Object.is(result.thrown, fault))
      reportFault('observer', fault);
  }
  if (result === undefined) {
    reportFault('observer', new Error('run did not call its function'));
    return once();
  }
  if ('value' in result) return result.value;
  throw result.thrown;
}

/** Tells a scope how its work ended. */
export function tellEnd<End>(scope: Scope<End> | undefined, end: End): void {
  guarded('observer', () => scope?.end?.(end));
}

/** Tells a call's scope of an event. */
export function tellEvent(scope: CallScope | undefined, event: RetryEvent): void {
  guarded('observer', () => scope?.event?.(event));
}

/** Tells an observer of a policy that was made. */
export function tellPolicy(observer: RetryObserver, info: CallInfo): void {
  guarded('observer', () => observer.prepare?.(info));
}

function scopeOrNothing<S>(scope: S | undefined): S | undefined {
  return typeof scope === 'object' && scope !== null ? scope : undefined;
}
