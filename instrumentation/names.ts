/**
 * Every name that leaves the library: spans, attributes, events, metrics, labels and log fields. Nothing else holds a
 * telemetry string, and dashboards read this file and no other, so a panel and the code cannot disagree.
 */

/** The version of the schema below. It changes when a name or the meaning of a label does. */
export const SCHEMA_VERSION = 1;

/** The name of the instrumentation scope of spans, metrics and log records. */
export const SCOPE_NAME = 'retryscope';

/** Span names: one call, and one attempt of it; a letter that is kept, and one that is sent again. */
export const SPANS = {
  call: (operation: string): string => `retry ${operation}`,
  attempt: (operation: string): string => `attempt ${operation}`,
  deadLetter: (operation: string): string => `dead_letter ${operation}`,
  redrive: (operation: string): string => `redrive ${operation}`,
} as const;

/** Span attributes. Times are seconds. */
export const ATTRIBUTES = {
  operation: 'retry.operation',
  maxAttempts: 'retry.max_attempts',
  attempts: 'retry.attempts',
  outcome: 'retry.outcome',
  totalDelay: 'retry.total_delay',
  budgetTokens: 'retry.budget.tokens',
  attempt: 'retry.attempt',
  delay: 'retry.delay',
  delaySource: 'retry.delay.source',
  queue: 'retry.dead_letter.queue',
  letterId: 'retry.dead_letter.id',
  letterResult: 'retry.dead_letter.result',
  redrive: 'retry.redrive',
  errorClass: 'retry.error.class',
  next: 'retry.next',
  nextDelay: 'retry.next_delay',
  errorType: 'error.type',
  exceptionType: 'exception.type',
  exceptionMessage: 'exception.message',
  exceptionStacktrace: 'exception.stacktrace',
  resendCount: 'http.request.resend_count',
} as const;

/** Span events and names of log events. */
export const EVENTS = {
  scheduled: 'retry.scheduled',
  hedged: 'retry.hedged',
  exception: 'exception',
  exceptionLog: 'retry.call.exception',
} as const;

/** Metric attributes. In Prometheus a dot becomes an underscore. */
export const LABELS = {
  operation: 'operation',
  outcome: 'outcome',
  result: 'result',
  errorType: 'error.type',
  delaySource: 'delay_source',
  phase: 'phase',
  budget: 'budget',
  decision: 'decision',
  mode: 'mode',
  breaker: 'breaker',
  state: 'state',
  to: 'to',
  queue: 'queue',
  event: 'event',
  source: 'source',
  version: 'version',
} as const;

/** The values of labels whose set is fixed. */
export const LABEL_VALUES = {
  outcome: [
    'success',
    'success_after_retry',
    'not_retryable',
    'attempts_exhausted',
    'deadline_exceeded',
    'budget_exhausted',
    'circuit_open',
    'already_retried',
    'aborted',
  ],
  result: ['success', 'failure'],
  delaySource: ['backoff', 'retry_after', 'hedge'],
  phase: ['attempt', 'waiting'],
  mode: ['local', 'shared', 'degraded'],
  decision: ['granted', 'denied'],
  breakerState: ['closed', 'open', 'half_open', 'forced_open'],
  breakerResult: ['success', 'failure', 'ignored', 'rejected'],
  deadLetterEvent: ['stored', 'not_stored', 'redriven', 'failed', 'evicted', 'quarantined', 'purged'],
  durableWaitEvent: ['handed_over', 'kept_in_memory', 'continued', 'put_back', 'refused'],
  faultSource: [
    'observer',
    'tracer',
    'meter',
    'logger',
    'exporter',
    'channel',
    'hook',
    'predicate',
    'backoff',
    'limit',
    'fallback',
    'dead_letter',
    'durable_wait',
  ],
  overflowSource: ['operation', 'error_type', 'limit', 'queue'],
} as const;

/** What stands in a label once its set of values is full. */
export const OTHER = 'other';

/** One metric family. */
export interface MetricDefinition {
  /** The name that Prometheus sees. */
  readonly family: string;
  /** The name of the OpenTelemetry instrument: every route from it to Prometheus gives `family`. */
  readonly instrument: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly unit: string;
  readonly description: string;
  /** Keys of {@link LABELS}. */
  readonly labels: readonly (keyof typeof LABELS)[];
  /** The upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120] as const;

/** The families, by the name that code and dashboards use. */
export type MetricName =
  | 'calls'
  | 'attempts'
  | 'retries'
  | 'callDuration'
  | 'attemptDuration'
  | 'delay'
  | 'callAttempts'
  | 'callsInFlight'
  | 'objectiveRatio'
  | 'budgetTokens'
  | 'budgetCapacity'
  | 'budgetMode'
  | 'budgetWithdrawals'
  | 'breakerState'
  | 'breakerTransitions'
  | 'breakerStateSeconds'
  | 'breakerCalls'
  | 'deadLetters'
  | 'deadLetterDepth'
  | 'deadLetterOldestAge'
  | 'deadLetterQuarantined'
  | 'durableWaits'
  | 'nestedSuppressed'
  | 'lateResults'
  | 'telemetryErrors'
  | 'overflow'
  | 'info';

/** Every metric family of the schema. Those of limits and dead letters are fed once such a limit or queue exists. */
export const METRICS: Readonly<Record<MetricName, MetricDefinition>> = {
  calls: counter('retry.calls', '{call}', 'Calls that ended, by outcome.', ['operation', 'outcome']),
  attempts: counter('retry.attempts', '{attempt}', 'Attempts that ended, by result and kind of error.', [
    'operation',
    'result',
    'errorType',
  ]),
  retries: counter('retry.retries', '{retry}', 'Retries that were scheduled, by what decided their delay.', [
    'operation',
    'delaySource',
  ]),
  callDuration: histogram(
    'retry.call.duration.seconds',
    's',
    'Total time of a call, waits included.',
    DURATION_BUCKETS,
    ['operation', 'result'],
  ),
  attemptDuration: histogram('retry.attempt.duration.seconds', 's', 'Time of one attempt.', DURATION_BUCKETS, [
    'operation',
    'result',
  ]),
  delay: histogram('retry.delay.seconds', 's', 'Delay before a retry.', DURATION_BUCKETS, ['operation']),
  callAttempts: histogram(
    'retry.call.attempts',
    '{attempt}',
    'Attempts that a call took.',
    [1, 2, 3, 4, 5, 10],
    ['operation', 'result'],
  ),
  callsInFlight: gauge('retry.calls.in_flight', '{call}', 'Calls in an attempt, or waiting for the next.', [
    'operation',
    'phase',
  ]),
  objectiveRatio: gauge('retry.objective_ratio', '', 'Retries per call that the alerts allow.', ['operation']),
  budgetTokens: gauge('retry.budget.tokens', '{token}', 'Tokens left in a retry budget.', ['budget']),
  budgetCapacity: gauge('retry.budget.capacity', '{token}', 'Tokens that a full retry budget holds.', ['budget']),
  budgetMode: gauge('retry.budget.mode', '', 'Where a retry budget is kept now: local, shared or degraded.', [
    'budget',
    'mode',
  ]),
  budgetWithdrawals: counter(
    'retry.budget.withdrawals',
    '{withdrawal}',
    'Retries that asked a budget, by its answer.',
    ['budget', 'decision'],
  ),
  breakerState: gauge('circuit_breaker.state', '', 'State of a circuit breaker: 1 for the state that it is in.', [
    'breaker',
    'state',
  ]),
  breakerTransitions: counter('circuit_breaker.transitions', '{transition}', 'Changes of state of a circuit breaker.', [
    'breaker',
    'to',
  ]),
  breakerStateSeconds: counter('circuit_breaker.state.seconds', 's', 'Time that a circuit breaker spent in a state.', [
    'breaker',
    'state',
  ]),
  breakerCalls: counter('circuit_breaker.calls', '{call}', 'Attempts that asked a circuit breaker, by result.', [
    'breaker',
    'result',
  ]),
  deadLetters: counter('retry.dead_letters', '{letter}', 'What happened to dead letters.', ['queue', 'event']),
  deadLetterDepth: gauge('retry.dead_letter.depth', '{letter}', 'Dead letters in a queue that wait to be sent again.', [
    'queue',
  ]),
  deadLetterOldestAge: gauge(
    'retry.dead_letter.oldest_age.seconds',
    's',
    'Age of the oldest of them; 0 where there is none.',
    ['queue'],
  ),
  deadLetterQuarantined: gauge(
    'retry.dead_letter.quarantined',
    '{letter}',
    'Dead letters in a queue that were put aside: nobody sends them again by itself.',
    ['queue'],
  ),
  durableWaits: counter('retry.durable_waits', '{call}', 'What happened to calls over long waits.', ['queue', 'event']),
  nestedSuppressed: counter('retry.nested_suppressed', '{retry}', 'Retries left to the layer nearest to the failure.', [
    'operation',
  ]),
  lateResults: counter(
    'retry.late_results',
    '{attempt}',
    'Attempts that settled after their call had stopped waiting for them.',
    ['operation', 'result'],
  ),
  telemetryErrors: counter('retry.telemetry_errors', '{error}', 'Faults of telemetry and hooks kept from callers.', [
    'source',
  ]),
  overflow: counter(
    'retry.overflow',
    '{record}',
    'Operations, errors, limits and queues that are not shown by themselves, since their set was full.',
    ['source'],
  ),
  info: gauge('retryscope.info', '', 'Always 1; the label tells the version of the library.', ['version']),
};

/** Fields of log lines. Times are seconds. */
export const LOG_FIELDS = {
  operation: 'operation',
  attempt: 'attempt',
  maxAttempts: 'max_attempts',
  delaySeconds: 'delay_seconds',
  error: 'error',
  attempts: 'attempts',
  reason: 'reason',
  queue: 'queue',
  letterId: 'letter_id',
  jobId: 'job_id',
  letters: 'letters',
  redrive: 'redrive',
  traceId: 'trace_id',
  spanId: 'span_id',
} as const;

/** Messages of log lines: one for each thing that can happen, so that each can be searched for. */
export const LOG_MESSAGES = {
  attempt_failed: (operation: string, attempt: number, maxAttempts: number, delaySeconds: number): string =>
    `Retry attempt ${maxAttempts === Infinity ? attempt : `${attempt}/${maxAttempts}`} failed for ${operation}, waiting ${delaySeconds.toFixed(2)}s`,
  succeeded: (operation: string): string => `Retry succeeded for ${operation}`,
  attempts_exhausted: (operation: string): string => `All retry attempts exhausted for ${operation}`,
  not_retryable: (operation: string): string => `Not retried for ${operation}: the error is not retryable`,
  deadline_exceeded: (operation: string): string => `Retries stopped for ${operation}: out of time`,
  budget_exhausted: (operation: string): string => `Retries stopped for ${operation}: the retry budget is exhausted`,
  circuit_open: (operation: string): string => `Retries stopped for ${operation}: the circuit is open`,
  already_retried: (operation: string): string => `Not retried for ${operation}: a layer below has retried already`,
  aborted: (operation: string): string => `Retries stopped for ${operation}: the caller aborted`,
  letter_stored: (operation: string): string => `Dead letter stored for ${operation}`,
  letter_not_stored: (operation: string): string => `Dead letter not stored for ${operation}: the store failed`,
  letter_redriven: (operation: string): string => `Dead letter redriven for ${operation}`,
  letter_failed: (operation: string): string => `Dead letter failed again for ${operation}`,
  letter_quarantined: (operation: string): string => `Dead letter quarantined for ${operation}`,
  letter_evicted: (queue: string): string => `Dead letters evicted from ${queue}`,
  letter_purged: (queue: string): string => `Dead letters purged from ${queue}`,
  wait_handed_over: (operation: string): string => `Long wait handed over for ${operation}`,
  wait_kept_in_memory: (operation: string): string => `Long wait kept in memory for ${operation}`,
  wait_continued: (operation: string): string => `Call goes on after a long wait for ${operation}`,
  wait_put_back: (operation: string): string => `Job put back after a long wait for ${operation}`,
  wait_refused: (operation: string): string => `Job refused after a long wait for ${operation}`,
} as const;

/** The name that Prometheus gives to an attribute key. */
export function labelName(key: string): string {
  return key.replaceAll('.', '_');
}

function counter(
  instrument: string,
  unit: string,
  description: string,
  labels: readonly (keyof typeof LABELS)[],
): MetricDefinition {
  return { family: `${labelName(instrument)}_total`, instrument, kind: 'counter', unit, description, labels };
}

function gauge(
  instrument: string,
  unit: string,
  description: string,
  labels: readonly (keyof typeof LABELS)[],
): MetricDefinition {
  return { family: labelName(instrument), instrument, kind: 'gauge', unit, description, labels };
}

function histogram(
  instrument: string,
  unit: string,
  description: string,
  buckets: readonly number[],
  labels: readonly (keyof typeof LABELS)[],
): MetricDefinition {
  return { family: labelName(instrument), instrument, kind: 'histogram', unit, description, labels, buckets };
}
