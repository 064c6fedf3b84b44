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
  maxElapsed: Infinity,
};
const facts: Facts = {
  attempt: 1,
  maxAttempts: 3,
  error: undefined,
  errorClass: 'transient',
  interruption: undefined,
  elapsedMs: 0,
  retryAfterMs: undefined,
  previousDelayMs: 0,
  random: 0.5,
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
    [
      'does not start a wait that reaches the limit',
      { elapsedMs: 500 },
      { maxElapsed: 1500 },
      stop('deadline_exceeded'),
    ],
    ['starts one that ends before it', { elapsedMs: 499 }, { maxElapsed: 1500 }, retry(1000)],
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
    ['checks a hint against the limit', { retryAfterMs: 2000 }, { maxElapsed: 2000 }, stop('deadline_exceeded')],
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
      elapsedMs: ms,
      retryAfterMs: fc.option(ms, { nil: undefined }),
      previousDelayMs: ms,
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    });
    const anyTerms = fc.record({
      backoff: fc.constantFrom<Backoff>('exponential', 'constant', 'linear', 'fibonacci'),
      initialDelay: ms,
      maxDelay: ms,
      exponentialBase: fc.double({ min: 1, max: 10, noNaN: true }),
      jitter: fc.constantFrom<Jitter>(true, false, 'full', 'equal', 'proportional', 'decorrelated'),
      maxElapsed: fc.oneof(ms, fc.constant(Infinity)),
    });
    fc.assert(
      fc.property(anyTerms, anyFacts, (policy, given) => {
        const decision = decide(policy, given);
        if (decision.next === 'stop') return STOP_REASONS.includes(decision.reason);
        return (
          given.attempt < given.maxAttempts &&
          given.interruption === undefined &&
          decision.delayMs >= 0 &&
          decision.delayMs <= policy.maxDelay &&
          given.elapsedMs + decision.delayMs < policy.maxElapsed &&
          (decision.delaySource !== 'retry_after' || decision.delayMs >= (given.retryAfterMs ?? 0))
        );
      }),
      { numRuns: 2000 },
    );
  });
});
