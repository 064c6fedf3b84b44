import { ReplyError } from 'ioredis';
import { MaxRetriesPerRequestError } from 'ioredis/built/errors/index.js';
import {
  AbortError,
  ClientClosedError,
  ClientOfflineError,
  ConnectionTimeoutError,
  DisconnectsClientError,
  ErrorReply,
  MultiErrorReply,
  SimpleError,
  SocketClosedUnexpectedlyError,
  TimeoutError,
  WatchError,
} from 'redis';
import { AttemptTimeoutError } from 'retryscope/core';
import { classifyRedisError, mayHaveRun } from '../../../src/services/redis/index.ts';
import { HOSTILE_VALUES } from '../../hostile/values.ts';

const reply = (text: string): Error => new ReplyError(text);
const nodeReply = (text: string): Error => new SimpleError(text);
const system = (code: string, syscall = 'read'): Error =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall });

const REPLIES: readonly (readonly [text: string, errorClass: string])[] = [
  ['LOADING Redis is loading the dataset in memory', 'transient'],
  ['BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.', 'transient'],
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'transient'],
  ['CLUSTERDOWN Hash slot not served', 'transient'],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'transient'],
  ["READONLY You can't write against a read only replica.", 'transient'],
  ['NOREPLICAS Not enough good replicas to write.', 'transient'],
  ['UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)', 'transient'],
  ['ERR max number of clients reached', 'throttled'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'permanent'],
  ['MISCONF Redis is configured to save RDB snapshots, but is currently unable to persist to disk.', 'permanent'],
  ['NOAUTH Authentication required.', 'permanent'],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'permanent'],
  ["NOPERM this user has no permissions to run the 'get' command", 'permanent'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'permanent'],
  ['NOSCRIPT No matching script. Please use EVAL.', 'permanent'],
  ['MOVED 3999 127.0.0.1:6381', 'permanent'],
  ["CROSSSLOT Keys in request don't hash to the same slot", 'permanent'],
  ["ERR unknown command 'LOADING'", 'permanent'],
  ['EXECABORT Transaction discarded because of previous errors.', 'permanent'],
];

describe.each([
  ['ioredis', reply],
  ['node-redis', nodeReply],
])('replies, as %s throws them', (_, make) => {
  it.each(REPLIES)('%s: %s', (text, expected) => {
    expect(classifyRedisError(make(text))).toBe(expected);
    expect(mayHaveRun(make(text))).toBe(false);
  });
});

describe('faults of the client and the connection', () => {
  it.each<[string, unknown, string, boolean]>([
    ['a connection that was refused', system('ECONNREFUSED', 'connect'), 'transient', false],
    ['a host that is not found', system('EAI_AGAIN', 'getaddrinfo'), 'transient', false],
    ['a connection that broke', system('ECONNRESET'), 'transient', true],
    ['a pipe that broke', system('EPIPE', 'write'), 'transient', true],
    ['a file that is not there', system('ENOENT'), 'permanent', true],
    ['ioredis: no reply before the reconnect', new MaxRetriesPerRequestError(0), 'transient', true],
    ['ioredis: closed', new Error('Connection is closed.'), 'transient', true],
    ['ioredis: timed out', new Error('Command timed out'), 'transient', true],
    [
      'ioredis: not connected',
      new Error("Stream isn't writeable and enableOfflineQueue options is false"),
      'transient',
      false,
    ],
    ['node-redis: the socket closed', new SocketClosedUnexpectedlyError(), 'transient', true],
    ['node-redis: not connected', new ClientOfflineError(), 'transient', false],
    ['node-redis: connecting took too long', new ConnectionTimeoutError(), 'transient', false],
    ['node-redis: timed out', new TimeoutError(), 'transient', true],
    ['node-redis: the queue is full', new Error('The queue is full'), 'transient', false],
    ['node-redis: a watched key was changed', new WatchError(), 'transient', false],
    ['node-redis: closed by the application', new ClientClosedError(), 'permanent', false],
    ['node-redis: destroyed by the application', new DisconnectsClientError(), 'permanent', true],
    ['node-redis: aborted by the application', new AbortError(), 'cancelled', true],
    [
      'node-redis: a transaction of which a part was carried out',
      new MultiErrorReply([new ErrorReply('WRONGTYPE')], [0]),
      'permanent',
      true,
    ],
    ['our own time-out', new AttemptTimeoutError(1, 10), 'transient', true],
    ['what was thrown by something else', new Error('boom'), 'permanent', true],
    ['an abort', Object.assign(new Error(), { name: 'AbortError' }), 'cancelled', true],
  ])('%s', (_, error, expected, unknown) => {
    expect([classifyRedisError(error), mayHaveRun(error)]).toEqual([expected, unknown]);
  });

  it('sees what lies beneath an error', () => {
    expect(classifyRedisError(new Error('cache', { cause: reply('LOADING') }))).toBe('transient');
    const all = Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError: system('ECONNREFUSED') });
    expect(classifyRedisError(all)).toBe('transient');
  });

  it('retries a transaction whose commands were all refused for a while', () => {
    const aborted = (...texts: string[]): unknown =>
      classifyRedisError(Object.assign(reply('EXECABORT Transaction discarded'), { previousErrors: texts.map(reply) }));
    expect(aborted('LOADING', 'LOADING')).toBe('transient');
    expect(aborted('LOADING', 'ERR wrong number of arguments')).toBe('permanent');
  });

  it('never throws, whatever was thrown', () => {
    for (const [, make] of HOSTILE_VALUES) {
      expect(['permanent', 'cancelled', 'transient']).toContain(classifyRedisError(make()));
      expect(typeof mayHaveRun(make())).toBe('boolean');
    }
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    const refusals = [proxy, null, 5, { length: 'many' }, { length: -1 }, { length: 1e9 }];
    for (const previousErrors of refusals) {
      expect(classifyRedisError(Object.assign(reply('EXECABORT Transaction discarded'), { previousErrors }))).toBe(
        'permanent',
      );
    }
  });
});
