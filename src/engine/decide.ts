import { type BackoffTerms, backoffDelay } from './backoff.ts';
import { type JitterTerms, longestDelay, pick, shortestDelay } from './jitter.ts';
import type { DelaySource, ErrorClass, StopReason } from './outcome.ts';

/** What happens after an attempt. */
export type Decision = Retry | { readonly next: 'stop'; readonly reason: StopReason };

/** The answer that lets a call go on. */
export interface Retry {
  readonly next: 'retry';
  readonly delayMs: number;
  readonly delaySource: DelaySource;
}

/** What {@link decide} needs to know of a policy. */
export type DecisionTerms = BackoffTerms & JitterTerms;

/** Why a call cannot go on, whatever its last attempt brought. */
export type Interruption = 'aborted' | 'deadline_exceeded';

/** What is known when an attempt has failed. */
export interface Facts {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly error: unknown;
  readonly errorClass: ErrorClass;
  readonly interruption: Interruption | undefined;
  /** Milliseconds that the call has left; `Infinity` without a limit. */
  readonly remainingMs: number;
  /** The server's hint in milliseconds, if there was one. */
  readonly retryAfterMs: number | undefined;
  readonly previousDelayMs: number;
  /** A number in [0, 1). */
  readonly random: number;
  /** True when a layer nearer to the failure has retried already, and this policy leaves it at that. */
  readonly alreadyRetried: boolean;
  /** The circuit, where it does not let attempts through now. */
  readonly openCircuit: OpenCircuit | undefined;
}

/**
 * Facts to fill in for {@link decide}, which reads them at once: one object serves every failure, since in a storm of failing calls
 * a new one for each was a twentieth of all the time.
 */
export const reusedFacts: { -readonly [K in keyof Facts]: Facts[K] } = {
  attempt: 1,
  maxAttempts: 1,
  error: undefined,
  errorClass: 'transient',
  interruption: undefined,
  remainingMs: Infinity,
  retryAfterMs: undefined,
  previousDelayMs: 0,
  random: 0,
  alreadyRetried: false,
  openCircuit: undefined,
};

/** A circuit that lets no attempts through for now. */
export interface OpenCircuit {
  readonly openForMs: number;
  readonly whenOpen: 'stop' | 'wait';
}

/**
 * The heart: after a failed attempt, retry in N ms because R, or stop because R. It reads no clock, draws no random
 * number and changes nothing, so every case of it can be written down in a table.
 */
export function decide(terms: DecisionTerms, facts: Facts): Decision {
  // Read before the user's backoff function may run, which may have calls of its own.
  const { remainingMs, openCircuit } = facts;
  if (facts.interruption !== undefined) return stop(facts.interruption);
  if (facts.errorClass === 'permanent' || facts.errorClass === 'cancelled') return stop('not_retryable');
  if (facts.alreadyRetried) return stop('already_retried');
  if (facts.attempt >= facts.maxAttempts) return stop('attempts_exhausted');
  // A server that asks for more patience than the policy has must not be asked again any earlier.
  if (isRefused(terms, facts.retryAfterMs)) return stop('not_retryable');
  const retry = afterOpenCircuit(nextRetry(terms, facts), openCircuit);
  if (retry.next === 'stop') return retry;
  return retry.delayMs >= remainingMs ? stop('deadline_exceeded') : retry;
}

/** True when the server's hint is longer than the policy's `maxDelay`. */
export function isRefused(terms: BackoffTerms, retryAfterMs: number | undefined): retryAfterMs is number {
  return retryAfterMs !== undefined && retryAfterMs > terms.maxDelay;
}

/** A hint of at least this many milliseconds replaces the backoff; "at once" does not, since it would be a burst. */
const SHORTEST_HINT_MS = 1;
/** How far above a server's hint the delay is spread, so that clients do not return together. */
const HINT_SPREAD = 0.1;

function nextRetry(terms: DecisionTerms, facts: Facts): Retry {
  const { retryAfterMs: hint, previousDelayMs, random } = facts;
  if (hint !== undefined && hint >= SHORTEST_HINT_MS) {
    const high = terms.jitter === false ? hint : Math.min(hint * (1 + HINT_SPREAD), terms.maxDelay);
    return { next: 'retry', delayMs: pick(hint, high, random), delaySource: 'retry_after' };
  }
  const delay = backoffDelay(terms, facts.attempt, facts.error);
  const longest = longestDelay(terms, delay, previousDelayMs);
  const delayMs = pick(shortestDelay(terms, delay), longest, random);
  return { next: 'retry', delayMs, delaySource: 'backoff' };
}

/** A wait that outlasts the open circuit needs no other; else the call waits for it as well, or stops. */
function afterOpenCircuit(retry: Retry, circuit: OpenCircuit | undefined): Decision {
  if (circuit === undefined || circuit.openForMs <= retry.delayMs) return retry;
  const canWait = circuit.whenOpen === 'wait' && circuit.openForMs !== Infinity;
  return canWait ? { ...retry, delayMs: circuit.openForMs } : stop('circuit_open');
}

function stop(reason: StopReason): Decision {
  return { next: 'stop', reason };
}
