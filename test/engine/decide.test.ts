import * as fc from 'fast-check';
import type { Backoff } from '../../src/engine/backoff.ts';
import { type Decision, type DecisionTerms, decide, type Facts } from '../../src/engine/decide.ts';
import type { Jitter } from '../../src/engine/jitter.ts';
import { STOP_REASONS, type StopReason } from '../../src/engine/outcome.ts';

const terms: DecisionTerms = {
  backoff: 'exponential',
  initialDelay: 1000,
  maxDelay: 30_000,
  exponentialBase: 2,
  jitter: false,
};
const facts: Facts = {
  attempt: 1,
  maxAttempts: 3,
  error: undefined,
  errorClass: 'transient',
  interruption: undefined,
  remainingMs: Infinity,
  retryAfterMs: undefined,
  previousDelayMs: 0,
  random: 0.5,
  alreadyRetried: false,
  openCircuit: undefined,
};
const stop = (reason: StopReason): Decision => ({ next: 'stop', reason });
const retry = (delayMs: number, delaySource: 'backoff' | 'retry_after' = 'backoff'): Decision => ({
  next: 'retry',
  delayMs,
  delaySource,
});

describe('decide', () => {
  it.each<[string, Partial<Facts>, Partial<DecisionTerms>, Decision]>([
    ['retries a transient error', {}, {}, retry(1000)],
    ['retries a throttled one', { errorClass: 'throttled' }, {}, retry(1000)],
    ['grows the delay', { attempt: 2 }, {}, retry(2000)],
    ['stops after the last attempt', { attempt: 3 }, {}, stop('attempts_exhausted')],
    ['stops beyond it too', { attempt: 4 }, {}, stop('attempts_exhausted')],
    ['stops for a permanent error', { errorClass: 'permanent' }, {}, stop('not_retryable')],
    ['names the error rather than the attempts', { errorClass: 'permanent', attempt: 3 }, {}, stop('not_retryable')],
    ['stops for a foreign cancellation', { errorClass: 'cancelled' }, {}, stop('not_retryable')],
    ['stops for the caller’s own', { errorClass: 'cancelled', interruption: 'aborted' }, {}, stop('aborted')],
    ['stops when time is up', { interruption: 'deadline_exceeded' }, {}, stop('deadline_exceeded')],
    ['does not start a wait that reaches the limit', { remainingMs: 1000 }, {}, stop('deadline_exceeded')],
    ['starts one that ends before it', { remainingMs: 1001 }, {}, retry(1000)],
    ['follows the server', { retryAfterMs: 5000 }, {}, retry(5000, 'retry_after')],
    ['follows it to the cap', { retryAfterMs: 30_000 }, {}, retry(30_000, 'retry_after')],
    ['stops rather than come too early', { retryAfterMs: 30_001 }, {}, stop('not_retryable')],
    ['names the attempts rather than the hint', { retryAfterMs: 30_001, attempt: 3 }, {}, stop('attempts_exhausted')],
    ['takes a hint of "at once" as none', { retryAfterMs: 0 }, {}, retry(1000)],
    ['takes one of a millisecond', { retryAfterMs: 1 }, {}, retry(1, 'retry_after')],
    ['spreads a hint upwards only', { retryAfterMs: 1000, random: 0.5 }, { jitter: true }, retry(1050, 'retry_after')],
    [
      'spreads a hint below the cap',
      { retryAfterMs: 30_000, random: 0.9 },
      { jitter: true },
      retry(30_000, 'retry_after'),
    ],
    ['draws the jitter', { random: 0.25 }, { jitter: true }, retry(750)],
    ['remembers the delay before', { previousDelayMs: 2000, random: 0.5 }, { jitter: 'decorrelated' }, retry(3500)],
    ['checks a hint against the limit', { retryAfterMs: 2000, remainingMs: 2000 }, {}, stop('deadline_exceeded')],
    ['leaves what was retried below', { alreadyRetried: true }, {}, stop('already_retried')],
    ['says so after the last attempt too', { alreadyRetried: true, attempt: 3 }, {}, stop('already_retried')],
    [
      'names the error rather than the layers',
      { alreadyRetried: true, errorClass: 'permanent' },
      {},
      stop('not_retryable'),
    ],
    [
      'stops before a circuit that stays open',
      { openCircuit: { openForMs: 1001, whenOpen: 'stop' } },
      {},
      stop('circuit_open'),
    ],
    ['outlasts one that does not', { openCircuit: { openForMs: 1000, whenOpen: 'stop' } }, {}, retry(1000)],
    ['waits for a circuit if asked to', { openCircuit: { openForMs: 5000, whenOpen: 'wait' } }, {}, retry(5000)],
    [
      'waits for none that stays open for good',
      { openCircuit: { openForMs: Infinity, whenOpen: 'wait' } },
      {},
      stop('circuit_open'),
    ],
    [
      'waits for none beyond the limit',
      { openCircuit: { openForMs: 5000, whenOpen: 'wait' }, remainingMs: 5000 },
      {},
      stop('deadline_exceeded'),
    ],
    [
      'names the attempts rather than the circuit',
      { openCircuit: { openForMs: 5000, whenOpen: 'stop' }, attempt: 3 },
      {},
      stop('attempts_exhausted'),
    ],
  ])('%s', (_name, given, policy, expected) => {
    expect(decide({ ...terms, ...policy }, { ...facts, ...given })).toEqual(expected);
  });

  it('never waits beyond the cap or the limit, never before a hint, and never runs for ever', () => {
    const ms = fc.double({ min: 0, max: 100_000, noNaN: true });
    const anyFacts = fc.record<Facts>({
      attempt: fc.integer({ min: 1, max: 20 }),
      maxAttempts: fc.integer({ min: 1, max: 10 }),
      error: fc.anything(),
      errorClass: fc.constantFrom('transient', 'throttled', 'permanent', 'cancelled'),
      interruption: fc.constantFrom(undefined, 'aborted', 'deadline_exceeded'),
      remainingMs: fc.oneof(ms, fc.constant(Infinity)),
      retryAfterMs: fc.option(ms, { nil: undefined }),
      previousDelayMs: ms,
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      alreadyRetried: fc.boolean(),
      openCircuit: fc.option(fc.record({ openForMs: ms, whenOpen: fc.constantFrom('stop', 'wait') }), {
        nil: undefined,
      }),
    });
    const anyTerms = fc.record({
      backoff: fc.constantFrom<Backoff>('exponential', 'constant', 'linear', 'fibonacci'),
      initialDelay: ms,
      maxDelay: ms,
      exponentialBase: fc.double({ min: 1, max: 10, noNaN: true }),
      jitter: fc.constantFrom<Jitter>(true, false, 'full', 'equal', 'proportional', 'decorrelated'),
    });
    fc.assert(
      fc.property(anyTerms, anyFacts, (policy, given) => {
        const decision = decide(policy, given);
        if (decision.next === 'stop') return STOP_REASONS.includes(decision.reason);
        return (
          given.attempt < given.maxAttempts &&
          given.interruption === undefined &&
          decision.delayMs >= 0 &&
          !given.alreadyRetried &&
          decision.delayMs <= Math.max(policy.maxDelay, given.openCircuit?.openForMs ?? 0) &&
          decision.delayMs >= (given.openCircuit?.openForMs ?? 0) &&
          decision.delayMs < given.remainingMs &&
          (decision.delaySource !== 'retry_after' || decision.delayMs >= (given.retryAfterMs ?? 0))
        );
      }),
      { numRuns: 2000 },
    );
  });
});
