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
  const [outer, inner] = members as [RetryObserver, RetryObserver];
  return {
    call: members.length === 2 ? info => openBoth(outer, inner, info) : info => openAll(members, info),
    prepare: info => {
      for (const member of members) tellPolicy(member, info);
    },
  };
}

/** The same for the two of the main entry: nearly every call goes through here, and the loop costs more than they do. */
function openBoth(outer: RetryObserver, inner: RetryObserver, info: CallInfo): CallScope | undefined {
  const first = openCall(outer, info);
  const second = openCall(inner, info);
  if (first === undefined) return second;
  return second === undefined ? first : new ComposedCall([first, second]);
}

/** Nothing is built for members that are not interested, nor for a single one that is. */
function openAll(members: readonly RetryObserver[], info: CallInfo): CallScope | undefined {
  let first: CallScope | undefined;
  let all: CallScope[] | undefined;
  for (let i = 0; i < members.length; i++) {
    const scope = openCall(members[i] as RetryObserver, info);
    if (scope === undefined) continue;
    if (first === undefined) first = scope;
    else if (all === undefined) all = [first, scope];
    else all.push(scope);
  }
  return all === undefined ? first : new ComposedCall(all);
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
