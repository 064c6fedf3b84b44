import { type Clock, LONGEST_TIMER_MS } from '../engine/clock.ts';
import { callHook } from '../engine/hook.ts';
import type { AttemptVerdict, Breaker, Permit } from '../engine/limits.ts';
import {
  type Check,
  checkClock,
  checkName,
  checkOptions,
  integerFrom,
  numberFrom,
  oneOf,
} from '../engine/option-checks.ts';
import { systemClock } from '../engine/system-clock.ts';
import type { BreakerResult, BreakerState, BreakerStateName } from './breaker-state.ts';
import { registerBreaker } from './registry.ts';
import { checkTripRule, openWindow, type TripRule, type TripWindow } from './trip-rule.ts';

/**
 * A circuit breaker around the attempts of every policy that names it. Closed, it lets attempts through and watches
 * them; when its rule trips it is open for `openMs` and lets none through; then it is half open and lets exactly
 * `probes` through, and closes when all of them succeed or opens again with the first that fails.
 *
 * Failures are attempts that end as transient or throttled; a permanent error shows that the other side answers, and
 * an abort shows nothing. What an attempt brings after the state has changed since it started is ignored.
 *
 * @example
 * ```ts
 * const breaker = new CircuitBreaker({ name: 'ledger', trip: { kind: 'time', failureRatio: 0.5, minimum: 20 } });
 * const post = withRetry(postToLedger, { operation: 'post_to_ledger', breaker });
 * ```
 */
export class CircuitBreaker implements Breaker {
  readonly name: string;
  readonly whenOpen: 'stop' | 'wait';
  readonly #trip: TripRule;
  readonly #openMs: number;
  readonly #probes: number;
  readonly #probeTimeoutMs: number;
  readonly #clock: Clock;
  readonly #listeners: Set<BreakerListener> = new Set();
  readonly #transitions: Record<BreakerStateName, number> = zeros();
  readonly #millisecondsIn: Record<BreakerStateName, number> = zeros();
  readonly #calls: Record<BreakerResult, number> = { success: 0, failure: 0, ignored: 0, rejected: 0 };
  #nextPermit: Permit = 1;
  /** Permits below this one were given before the last change of state. */
  #firstPermit: Permit = 1;
  #since: number;
  #state: State;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: CircuitBreakerOptions = {}) {
    checkOptions('breaker options', options, CHECKS);
    this.name = options.name ?? 'default';
    this.whenOpen = options.whenOpen ?? 'stop';
    this.#trip = Object.freeze({ ...(options.trip ?? { kind: 'consecutive' }) });
    this.#openMs = options.openMs ?? 30_000;
    this.#probes = options.probes ?? 1;
    this.#probeTimeoutMs = options.probeTimeoutMs ?? 10_000;
    this.#clock = options.clock ?? systemClock;
    this.#since = this.#clock.now();
    this.#state = { at: 'closed', window: openWindow(this.#trip) };
    registerBreaker(this);
  }

  tryEnter(): Permit | undefined {
    this.#letTimePass();
    const state = this.#state;
    switch (state.at) {
      case 'closed':
        return this.#nextPermit++;
      case 'half_open':
        return this.#tryProbe(state);
      default:
        this.#calls.rejected++;
        return undefined;
    }
  }

  leave(permit: Permit, result: AttemptVerdict): void {
    this.#calls[result]++;
    this.#letTimePass();
    if (permit < this.#firstPermit) return;
    const state = this.#state;
    if (state.at === 'half_open') this.#probed(state, permit, result);
    else if (state.at === 'closed' && result !== 'ignored' && state.window.trips(result, this.#elapsedMs()))
      this.#open();
  }

  openForMs(): number {
    this.#letTimePass();
    const state = this.#state;
    switch (state.at) {
      case 'closed':
        return 0;
      case 'open':
        return state.until - this.#clock.now();
      case 'half_open':
        return this.#hasRoom(state) ? 0 : Math.min(PROBE_POLL_MS, this.#nextProbeTimeout(state) - this.#clock.now());
      case 'forced_open':
        return Infinity;
    }
  }

  /** What the breaker is doing now, and has done since it was made. */
  get state(): BreakerState {
    this.#letTimePass();
    const { at } = this.#state;
    const inState = { ...this.#millisecondsIn, [at]: this.#millisecondsIn[at] + this.#elapsedMs() };
    return {
      name: this.name,
      at,
      calls: { ...this.#calls },
      transitions: { ...this.#transitions },
      millisecondsIn: inState,
    };
  }

  /** Opens the circuit by hand; it stays open until {@link CircuitBreaker.reset}. */
  forceOpen(): void {
    if (this.#state.at !== 'forced_open') this.#enter({ at: 'forced_open' });
  }

  /** Opens the circuit for `openMs`, as if its rule had tripped. */
  trip(openMs: number = this.#openMs): void {
    numberFrom(0, LONGEST_TIMER_MS)('openMs', openMs);
    if (this.#state.at !== 'forced_open') this.#enter({ at: 'open', until: this.#clock.now() + openMs });
  }

  /** Closes the circuit by hand, and forgets what the rule has seen. */
  reset(): void {
    this.#close();
  }

  /**
   * Calls `listener` after every change of state, until the returned function is called. What a listener throws is
   * counted, never passed on.
   */
  onStateChange(listener: BreakerListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #tryProbe(state: HalfOpen): Permit | undefined {
    if (!this.#hasRoom(state)) {
      this.#calls.rejected++;
      return undefined;
    }
    const permit = this.#nextPermit++;
    state.running.set(permit, this.#clock.now() + this.#probeTimeoutMs);
    return permit;
  }

  #hasRoom(state: HalfOpen): boolean {
    return state.running.size + state.succeeded < this.#probes;
  }

  #probed(state: HalfOpen, permit: Permit, result: AttemptVerdict): void {
    if (!state.running.delete(permit)) return;
    if (result === 'success') state.succeeded++;
    if (result === 'failure') this.#open();
    else if (state.succeeded >= this.#probes) this.#close();
  }

  /** What time alone changes: an open circuit becomes half open, and a probe that hangs counts as failed. */
  #letTimePass(): void {
    const state = this.#state;
    if (state.at === 'open') {
      if (this.#clock.now() >= state.until) this.#enter({ at: 'half_open', running: new Map(), succeeded: 0 });
    } else if (state.at === 'half_open' && this.#nextProbeTimeout(state) <= this.#clock.now()) {
      this.#open();
    }
  }

  #nextProbeTimeout(state: HalfOpen): number {
    // Probes are kept in the order in which they started, so the first one runs out first.
    for (const deadline of state.running.values()) return deadline;
    return Infinity;
  }

  #open(): void {
    this.#enter({ at: 'open', until: this.#clock.now() + this.#openMs });
  }

  #close(): void {
    this.#enter({ at: 'closed', window: openWindow(this.#trip) });
  }

  #enter(state: State): void {
    const from = this.#state.at;
    this.#millisecondsIn[from] += this.#elapsedMs();
    this.#since = this.#clock.now();
    this.#firstPermit = this.#nextPermit;
    this.#state = state;
    if (from === state.at) return;
    this.#transitions[state.at]++;
    for (const listener of [...this.#listeners]) callHook(listener, { breaker: this.name, from, to: state.at });
  }

  #elapsedMs(): number {
    return this.#clock.now() - this.#since;
  }
}

/** When a {@link CircuitBreaker} opens and closes. */
export interface CircuitBreakerOptions {
  /** The metric label. Default `default`. 1 to 200 characters. */
  readonly name?: string;
  /** When the circuit opens; see {@link TripRule}. Default: after five failures in a row. */
  readonly trip?: TripRule;
  /** How long the circuit stays open, in milliseconds. Default 30,000. Range 0 to 2^31-1. */
  readonly openMs?: number;
  /** How many attempts are let through half open, and have to succeed. Default 1. An integer from 1 to 1000. */
  readonly probes?: number;
  /** How long a probe may take before it counts as failed, in milliseconds. Default 10,000. Range 1 to 2^31-1. */
  readonly probeTimeoutMs?: number;
  /**
   * What a call does that meets the open circuit: `'stop'` gives up at once with the reason `circuit_open`, `'wait'`
   * waits until attempts are let through again, if the call has the time. Default `'stop'`.
   */
  readonly whenOpen?: 'stop' | 'wait';
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** A change of state. */
export interface BreakerChange {
  readonly breaker: string;
  readonly from: BreakerStateName;
  readonly to: BreakerStateName;
}

/** Is told of changes of state. */
export type BreakerListener = (change: BreakerChange) => void;

type State =
  | { readonly at: 'closed'; readonly window: TripWindow }
  | { readonly at: 'open'; readonly until: number }
  | HalfOpen
  | { readonly at: 'forced_open' };

interface HalfOpen {
  readonly at: 'half_open';
  /** When each running probe counts as failed, by its permit. */
  readonly running: Map<Permit, number>;
  succeeded: number;
}

/** A call that waits while all probes are out looks again this often, since they may settle at any time. */
const PROBE_POLL_MS = 1000;

const CHECKS: Record<keyof CircuitBreakerOptions, Check> = {
  name: checkName,
  trip: checkTripRule,
  openMs: numberFrom(0, LONGEST_TIMER_MS),
  probes: integerFrom(1, 1000),
  probeTimeoutMs: numberFrom(1, LONGEST_TIMER_MS),
  whenOpen: oneOf('stop', 'wait'),
  clock: checkClock,
};

function zeros(): Record<BreakerStateName, number> {
  return { closed: 0, open: 0, half_open: 0, forced_open: 0 };
}
