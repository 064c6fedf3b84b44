import {
  AttemptTimeoutError,
  BulkheadFullError,
  CircuitOpenError,
  DeadlineExceededError,
  isRetryError,
  NonRetryableError,
  OperationClosedError,
  RateLimitedError,
} from '../../src/core.ts';
import { RefusedResultError } from '../../src/engine/errors.ts';
import { retrySummary } from '../../src/engine/summary.ts';

describe('the library’s own errors', () => {
  it.each<[string, () => Error, string, string]>([
    [
      'AttemptTimeoutError',
      () => new AttemptTimeoutError(2, 50),
      'ERR_RETRY_ATTEMPT_TIMEOUT',
      'Attempt 2 took longer than attemptTimeout, 50 ms',
    ],
    [
      'DeadlineExceededError',
      () => new DeadlineExceededError(3),
      'ERR_RETRY_DEADLINE_EXCEEDED',
      'Attempt 3 was cut off: the call ran out of time',
    ],
    [
      'DeadlineExceededError before the first attempt',
      () => new DeadlineExceededError(0),
      'ERR_RETRY_DEADLINE_EXCEEDED',
      'No attempt was made: the call ran out of time',
    ],
    [
      'CircuitOpenError',
      () => new CircuitOpenError('ledger', 900),
      'ERR_RETRY_CIRCUIT_OPEN',
      'The circuit "ledger" is open',
    ],
    [
      'RateLimitedError',
      () => new RateLimitedError('ledger'),
      'ERR_RETRY_RATE_LIMITED',
      'The adaptive limit "ledger" refused the attempt',
    ],
    [
      'BulkheadFullError',
      () => new BulkheadFullError('reports', 4, 20),
      'ERR_RETRY_BULKHEAD_FULL',
      'The bulkhead "reports" is full: 4 attempts are running and 20 are waiting',
    ],
    ['NonRetryableError', () => new NonRetryableError('no use'), 'ERR_RETRY_NOT_RETRYABLE', 'no use'],
    ['RefusedResultError', () => new RefusedResultError(), 'ERR_RETRY_RESULT', 'retryOnResult refused the result'],
    [
      'OperationClosedError',
      () => new OperationClosedError(),
      'ERR_RETRY_OPERATION_CLOSED',
      'The RetryableOperation was disposed of',
    ],
  ])('%s', (name, make, code, message) => {
    const error = make();
    expect(error).toMatchObject({ name: name.split(' ')[0], code, message });
    expect(error).toBeInstanceOf(Error);
    expect(isRetryError(error)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['a plain error', new Error('x')],
    ['null', null],
    ['undefined', undefined],
    ['a string', 'x'],
    ['a function', () => 1],
    ['a plain object', {}],
  ])('are told from %s', (_name, value) => {
    expect(isRetryError(value)).toBe(false);
  });

  it('are told from what cannot be read', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(isRetryError(proxy)).toBe(false);
  });

  it('keep a cause, and the time limit', () => {
    const cause = new Error('before');
    expect(new DeadlineExceededError(1, { cause }).cause).toBe(cause);
    expect('cause' in new DeadlineExceededError(1)).toBe(false);
    expect(new AttemptTimeoutError(1, 5).timeoutMs).toBe(5);
    expect(new NonRetryableError('x').retryable).toBe(false);
  });
});

describe('retrySummary', () => {
  it.each([undefined, null, 'x', 5, {}, () => 1])('knows nothing of %p', value => {
    expect(retrySummary(value)).toBeUndefined();
  });
});
