import { status as Status } from '@grpc/grpc-js';
import { AttemptTimeoutError } from 'retryscope/core';
import { wasNeverSent } from '../../../src/services/grpc/classify-grpc-error.ts';
import { classifyGrpcError } from '../../../src/services/grpc/index.ts';
import { STATUSES } from '../../../src/services/grpc/statuses.ts';
import { HOSTILE_VALUES } from '../../hostile/values.ts';

const failure = (code: unknown, details = 'down'): Error => Object.assign(new Error('failed'), { code, details });

describe('classifyGrpcError', () => {
  it('knows every status by the number that grpc-js gives it', () => {
    for (const [code, name] of STATUSES.entries()) expect(Status[name]).toBe(code);
    expect(STATUSES).toHaveLength(17);
  });

  it.each(STATUSES.map((name, code) => [name, code] as const))('%s', (name, code) => {
    const expected = { UNAVAILABLE: 'transient', RESOURCE_EXHAUSTED: 'throttled', CANCELLED: 'cancelled' };
    expect(classifyGrpcError(failure(code))).toBe(expected[name as keyof typeof expected] ?? 'permanent');
  });

  it.each([
    'Received message larger than max (2006 vs 1000)',
    'Attempted to send message with a size larger than 100',
    'Sent message larger than max (5 vs 4)',
  ])('a message that is too large is permanent: %s', details => {
    expect(classifyGrpcError(failure(8, details))).toBe('permanent');
  });

  it('sees the cause, keeps the class of our own errors, and takes nothing else for a status', () => {
    expect(classifyGrpcError(new Error('wrapped', { cause: failure(14) }))).toBe('transient');
    expect(classifyGrpcError(new AttemptTimeoutError(1, 5))).toBe('transient');
    for (const code of ['14', 99, -1, 1.5, 'UNAVAILABLE']) expect(classifyGrpcError(failure(code))).toBe('permanent');
  });

  it('never throws, whatever was thrown', () => {
    for (const [, make] of HOSTILE_VALUES) {
      expect(classifyGrpcError(make())).toBeDefined();
      expect(wasNeverSent(make())).toBe(false);
    }
  });
});
