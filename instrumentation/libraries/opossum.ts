import type { StopReason } from '../../src/engine/outcome.ts';
import { read } from '../../src/engine/read.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { callInfo } from './call-info.ts';
import { ForeignCall } from './foreign-call.ts';
import type { Library } from './library.ts';
import { OpossumState } from './opossum-state.ts';
import { applied, type Callable, patchMethod, prototypeOf } from './patching.ts';
import { watchCall } from './settling.ts';

/**
 * `breaker.fire()` and `breaker.call()` as calls of one attempt, and the breaker itself among the circuit breakers. It
 * listens to no event: it reads along where they are emitted.
 */
export const opossum: Library = {
  name: 'opossum',
  does: 'observes',
  module: 'opossum',
  versions: ['>=8 <11'],
  patch: exports => {
    const prototype = prototypeOf(exports, 'default');
    for (const name of ['call', 'fire', 'emit', 'on']) {
      if (typeof read(prototype, name) !== 'function') throw new TypeError(`a breaker has no ${name}`);
    }
    patchMethod(prototype, 'call', watched);
    patchMethod(prototype, 'emit', hear);
    // The constructor listens to the breaker's own events: the earliest sight of a new one.
    patchMethod(prototype, 'on', (original, self, args) => {
      stateOf(self as object);
      return applied(original, self, args);
    });
    return exports;
  },
};

/** One call of a breaker. */
interface Fired {
  readonly call: ForeignCall;
  readonly breaker: unknown;
  /** What the breaker said instead of making an attempt. */
  rejection: { readonly error: unknown } | undefined;
}

/** The call that is being made right now: set only while the library's own code runs. */
let firing: Fired | undefined;
/** The calls that have not settled yet, by the list of arguments that the breaker's events carry. */
const byArguments = new WeakMap<object, Fired>();
const states = new WeakMap<object, OpossumState>();
const forgotten = new FinalizationRegistry<OpossumState>(state => state.forget());

function watched(original: Callable, self: unknown, args: unknown[]): unknown {
  if (runtime.observer === undefined || read(self, 'isShutdown') === true) return applied(original, self, args);
  stateOf(self as object);
  const call = new ForeignCall(callInfo(nameOf(self), 1));
  const fired: Fired = { call, breaker: self, rejection: undefined };
  const isOpen = read(self, 'enabled') === true && read(self, 'closed') !== true && read(self, 'pendingClose') !== true;
  const fire = () => whileFiring(fired, () => applied(original, self, args));
  let result: unknown;
  if (isOpen) {
    call.open();
    result = fire();
  } else {
    call.begin();
    try {
      result = call.run(fire);
    } catch (error) {
      call.giveUp(call.reasonFor(error), error);
      throw error;
    }
  }
  if (fired.rejection !== undefined) call.giveUp('circuit_open', fired.rejection.error);
  return watchCall(
    result,
    () => call.succeed(),
    error => call.giveUp(reasonOf(call, error), error),
  );
}

function hear(original: Callable, self: unknown, args: unknown[]): unknown {
  const [event, ...facts] = args;
  stateOf(self as object)?.hear(event);
  const fired = firing?.breaker === self ? firing : undefined;
  if (event === 'fire' && fired !== undefined && isObject(facts[0])) byArguments.set(facts[0], fired);
  if (event === 'reject' && fired !== undefined) fired.rejection = { error: facts[0] };
  // A fallback may turn the failure into a value that the caller gets.
  if (event === 'failure' && isObject(facts[2])) byArguments.get(facts[2])?.call.failed(facts[0]);
  return applied(original, self, args);
}

function whileFiring<R>(fired: Fired, fn: () => R): R {
  const outer = firing;
  firing = fired;
  try {
    return fn();
  } finally {
    firing = outer;
  }
}

function reasonOf(call: ForeignCall, error: unknown): StopReason {
  switch (read(error, 'code')) {
    case 'EOPENBREAKER':
      return 'circuit_open';
    case 'ETIMEDOUT':
      return isOwn(error) ? 'deadline_exceeded' : call.reasonFor(error);
    default:
      return call.reasonFor(error);
  }
}

function isOwn(error: unknown): boolean {
  return /^Timed out after \d+ms$/.test(String(read(error, 'message')));
}

/** Its state is kept from the moment at which it has a name. */
function stateOf(breaker: object): OpossumState | undefined {
  const known = states.get(breaker);
  if (known !== undefined) return known;
  if (typeof read(breaker, 'name') !== 'string') return undefined;
  const at = read(breaker, 'opened') === true ? 'open' : read(breaker, 'halfOpen') === true ? 'half_open' : 'closed';
  const state = new OpossumState(nameOf(breaker), at);
  states.set(breaker, state);
  forgotten.register(breaker, state);
  return state;
}

/** A breaker that nobody has named is named by chance, anew in each process. */
function nameOf(breaker: unknown): string {
  const name = read(breaker, 'name');
  return typeof name === 'string' && !/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(name) ? name : 'opossum';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
