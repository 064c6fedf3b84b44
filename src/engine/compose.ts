import { openAttempt, openCall, runInside, tellEnd, tellEvent, tellPolicy } from './guard.ts';
import type {
  AttemptEnd,
  AttemptInfo,
  CallEnd,
  CallInfo,
  CallScope,
  RetryEvent,
  RetryObserver,
  Scope,
} from './observer.ts';

/**
 * Makes one observer of several; the first is the outermost context. Each member is guarded for itself, so one that
 * throws takes nothing from the others.
 */
export function composeObservers(observers: readonly RetryObserver[]): RetryObserver | undefined {
  if (observers.length < 2) return observers[0];
  const members = [...observers];
  return {
    call: info => composeCalls(present(members.map(member => openCall(member, info)))),
    prepare: info => prepareAll(members, info),
  };
}

function prepareAll(members: readonly RetryObserver[], info: CallInfo): void {
  for (const member of members) tellPolicy(member, info);
}

function composeCalls(scopes: readonly CallScope[]): CallScope | undefined {
  return scopes.length < 2 ? scopes[0] : new ComposedCall(scopes);
}

class ComposedScope<End> implements Scope<End> {
  protected readonly scopes: readonly Scope<End>[];

  constructor(scopes: readonly Scope<End>[]) {
    this.scopes = scopes;
  }

  run<R>(fn: () => R): R {
    return runNested(this.scopes, 0, fn);
  }

  end(end: End): void {
    // Innermost first, as contexts close.
    for (let i = this.scopes.length - 1; i >= 0; i--) tellEnd(this.scopes[i], end);
  }
}

class ComposedCall extends ComposedScope<CallEnd> implements CallScope {
  readonly #calls: readonly CallScope[];

  constructor(calls: readonly CallScope[]) {
    super(calls);
    this.#calls = calls;
  }

  attempt(info: AttemptInfo): Scope<AttemptEnd> | undefined {
    const scopes = present(this.#calls.map(call => openAttempt(call, info)));
    return scopes.length < 2 ? scopes[0] : new ComposedScope(scopes);
  }

  event(event: RetryEvent): void {
    for (const call of this.#calls) tellEvent(call, event);
  }
}

function runNested<R, End>(scopes: readonly Scope<End>[], index: number, fn: () => R): R {
  if (index >= scopes.length) return fn();
  return runInside(scopes[index], () => runNested(scopes, index + 1, fn));
}

function present<S>(scopes: readonly (S | undefined)[]): S[] {
  return scopes.filter(scope => scope !== undefined) as S[];
}
