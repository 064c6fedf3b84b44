import { AttemptTimeoutError, NonRetryableError } from 'retryscope/core';
import { classifySqlError } from 'retryscope/database';
import { isAnswer, isConflict, isWithoutEffect } from '../../../src/services/database/classify-sql-error.ts';
import { HOSTILE_VALUES } from '../../hostile/values.ts';

/** As pg gives it what the server answered. */
const state = (code: string, severity = 'ERROR'): Error => Object.assign(new Error('x'), { code, severity });
const system = (code: string, syscall = 'read'): Error =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall, errno: -104 });
const mysql = (code: string, errno: number, sqlState = 'HY000'): Error =>
  Object.assign(new Error('x'), { code, errno, sqlState });

describe('an SQLSTATE', () => {
  it.each([
    ['40001', 'transient', 'serialization failure'],
    ['40P01', 'transient', 'deadlock'],
    ['40000', 'transient', 'transaction rollback'],
    ['40003', 'transient', 'statement completion unknown'],
    ['40002', 'permanent', 'constraint at the end of a transaction'],
    ['08000', 'transient', 'connection'],
    ['08001', 'transient', 'connection cannot be made'],
    ['08003', 'transient', 'no connection'],
    ['08004', 'transient', 'connection refused by the server'],
    ['08006', 'transient', 'connection failure'],
    ['08007', 'transient', 'outcome of the transaction unknown'],
    ['08P01', 'permanent', 'protocol violation'],
    ['57P01', 'transient', 'shutdown'],
    ['57P02', 'transient', 'crash'],
    ['57P03', 'transient', 'cannot connect now'],
    ['57P04', 'permanent', 'database dropped'],
    ['57P05', 'transient', 'idle session'],
    ['57014', 'permanent', 'query cancelled'],
    ['53000', 'transient', 'resources'],
    ['53100', 'permanent', 'disk full'],
    ['53200', 'transient', 'out of memory'],
    ['53300', 'throttled', 'too many connections'],
    ['53400', 'permanent', 'configured limit'],
    ['55P03', 'transient', 'lock not available'],
    ['55006', 'transient', 'object in use'],
    ['55000', 'permanent', 'wrong state'],
    ['58000', 'transient', 'system error'],
    ['58030', 'transient', 'input and output'],
    ['58P01', 'permanent', 'undefined file'],
    ['25006', 'permanent', 'read only'],
    ['25P02', 'permanent', 'failed transaction'],
    ['25P03', 'permanent', 'idle in transaction'],
    ['22012', 'permanent', 'division by zero'],
    ['23505', 'permanent', 'unique'],
    ['28P01', 'permanent', 'password'],
    ['3D000', 'permanent', 'no such database'],
    ['42601', 'permanent', 'syntax'],
    ['42P01', 'permanent', 'no such table'],
    ['XX000', 'permanent', 'internal'],
    ['P0001', 'permanent', 'raised'],
    ['MYAPP', 'permanent', 'raised with a code of its own'],
  ])('%s is %s: %s', (code, errorClass) => {
    expect(classifySqlError(state(code))).toBe(errorClass);
  });

  it('tells what is repeated soon', () => {
    expect(['40001', '40P01', '40000', '40003', '55P03', '57P01'].filter(code => isConflict(state(code)))).toEqual([
      '40001',
      '40P01',
      '40000',
    ]);
    expect(isConflict(mysql('ER_LOCK_DEADLOCK', 1213, '40001'))).toBe(true);
  });

  it('tells what surely had no effect', () => {
    const all = ['40001', '23505', '42601', '55P03', '53300', '57P03', '08001', '28P01', 'MYAPP'];
    expect(all.filter(code => isWithoutEffect(state(code)))).toEqual(all);
    const open = ['40003', '08006', '08007', '08P01', '57P01', '57P02', '57P04', '57P05', '25P03', 'XX000'];
    expect(open.filter(code => isWithoutEffect(state(code)))).toEqual([]);
    expect(isWithoutEffect(state('42601', 'FATAL'))).toBe(false);
    expect(isWithoutEffect(state('42601', 'PANIC'))).toBe(false);
  });

  it('tells whether the connection goes on', () => {
    expect(['23505', '40001', '53300', '57P01', '08006'].filter(code => isAnswer(state(code)))).toEqual([
      '23505',
      '40001',
    ]);
  });
});

describe('an error without an SQLSTATE', () => {
  it.each([
    [system('ECONNREFUSED', 'connect'), 'transient', true],
    [system('ENOTFOUND', 'getaddrinfo'), 'transient', true],
    [system('EAI_AGAIN', 'getaddrinfo'), 'transient', true],
    [system('ENOENT', 'connect'), 'transient', true],
    [system('ENOENT', 'open'), 'permanent', false],
    [system('ECONNRESET'), 'transient', false],
    [system('EPIPE', 'write'), 'transient', false],
    [system('EBUSY', 'open'), 'permanent', false],
    [system('ETIMEDOUT'), 'transient', false],
    [system('CERT_HAS_EXPIRED'), 'permanent', false],
    [new Error('Connection terminated unexpectedly'), 'transient', false],
    [new Error('Connection terminated'), 'transient', false],
    [new Error('Query read timeout'), 'transient', false],
    [new Error('timeout exceeded when trying to connect'), 'transient', true],
    [new Error('Client was closed and is not queryable'), 'transient', true],
    [new Error('Cannot use a pool after calling end on the pool'), 'permanent', true],
    [mysql('ER_LOCK_DEADLOCK', 1213, '40001'), 'transient', true],
    [mysql('ER_LOCK_WAIT_TIMEOUT', 1205), 'transient', true],
    [mysql('ER_CON_COUNT_ERROR', 1040, '08004'), 'throttled', true],
    [mysql('ER_DUP_ENTRY', 1062, '23000'), 'permanent', true],
    [mysql('ER_PARSE_ERROR', 1064, '42000'), 'permanent', true],
    [mysql('ER_ACCESS_DENIED_ERROR', 1045, '28000'), 'permanent', true],
    [mysql('ER_ERROR_DURING_COMMIT', 1180), 'permanent', false],
    [Object.assign(new Error('x'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true }), 'transient', false],
    [Object.assign(new Error('x'), { errno: 1213, sqlState: '40001' }), 'transient', true],
    [Object.assign(new Error('x'), { errno: 2013, sqlState: 'HY000' }), 'transient', false],
    [Object.assign(new Error('x'), { errno: 3819, sqlState: 'HY000' }), 'permanent', true],
    [Object.assign(new Error('x'), { errno: 3819, sqlState: 'HY000', fatal: true }), 'permanent', false],
    [new Error('not enough money'), 'permanent', false],
    [new TypeError('x is not a function'), 'permanent', false],
    [new AttemptTimeoutError(1, 100), 'transient', false],
    [new NonRetryableError('no'), 'permanent', false],
    [new DOMException('stop', 'AbortError'), 'cancelled', false],
    [Object.assign(new Error('x'), { retryable: true }), 'transient', false],
    [Object.assign(state('40001'), { retryable: false }), 'permanent', true],
  ])('%s is %s, without effect: %s', (error, errorClass, withoutEffect) => {
    expect(classifySqlError(error)).toBe(errorClass);
    expect(isWithoutEffect(error)).toBe(withoutEffect);
  });
});

it('an error that wraps that of the database is known by it', () => {
  expect(classifySqlError(new Error('Failed query', { cause: state('40001') }))).toBe('transient');
  expect(classifySqlError(new Error('a', { cause: new Error('b', { cause: system('ECONNRESET') }) }))).toBe(
    'transient',
  );
  expect(classifySqlError(Object.assign(new AggregateError([system('ECONNREFUSED')]), {}))).toBe('transient');
  expect(classifySqlError(new Error('Failed query', { cause: state('23505') }))).toBe('permanent');
});

it.each(HOSTILE_VALUES)('anything may be thrown: %s', (_, make) => {
  const value = make();
  expect(['transient', 'permanent', 'throttled', 'cancelled']).toContain(classifySqlError(value));
  expect(isWithoutEffect(value)).toBe(false);
});
