import { FakeClock } from 'retryscope/testing';
import { redisCommands } from '../../src/limits/redis/redis-commands.ts';
import { faultCode, ScriptRunner } from '../../src/limits/redis/script-runner.ts';

type Sent = unknown[][];

/** A client of each package by what is used of it; what it was sent is kept. */
function ioredis(sent: Sent, more: object = {}) {
  return {
    defineCommand: () => undefined,
    eval: async (...args: unknown[]) => sent.push(['eval', ...args]),
    evalsha: async (...args: unknown[]) => sent.push(['evalsha', ...args]),
    ...more,
  };
}

function nodeRedis(sent: Sent, more: object = {}) {
  return {
    eval: async (...args: unknown[]) => sent.push(['eval', ...args]),
    evalSha: async (...args: unknown[]) => sent.push(['evalSha', ...args]),
    ...more,
  };
}

describe('commands', () => {
  it('are those of ioredis', async () => {
    const sent: Sent = [];
    const commands = redisCommands(ioredis(sent));
    await commands.eval('script', ['k'], ['a', 'b']);
    await commands.evalsha('sha', ['k'], ['a']);
    expect(sent).toEqual([
      ['eval', 'script', 1, 'k', 'a', 'b'],
      ['evalsha', 'sha', 1, 'k', 'a'],
    ]);
  });

  it('are those of node-redis', async () => {
    const sent: Sent = [];
    const commands = redisCommands(nodeRedis(sent));
    await commands.eval('script', ['k'], ['a', 'b']);
    await commands.evalsha('sha', ['k'], []);
    expect(sent).toEqual([
      ['eval', 'script', { keys: ['k'], arguments: ['a', 'b'] }],
      ['evalSha', 'sha', { keys: ['k'], arguments: [] }],
    ]);
  });

  it.each([
    ['ioredis that reconnects', ioredis([], { status: 'reconnecting' })],
    ['ioredis that has ended', ioredis([], { status: 'end' })],
    ['node-redis that is not ready', nodeRedis([], { isReady: false })],
  ])('fail at once for a client of %s', async (_what, client) => {
    const commands = redisCommands(client);
    for (const sending of [commands.eval('', [], []), commands.evalsha('', [], [])]) {
      await expect(sending).rejects.toMatchObject({
        name: 'NotConnected',
        code: 'NOTCONNECTED',
        message: 'The Redis client is not connected',
      });
    }
  });

  it.each([
    ['ioredis that is ready', (sent: Sent) => ioredis(sent, { status: 'ready' })],
    ['ioredis that connects with its first command', (sent: Sent) => ioredis(sent, { status: 'wait' })],
    ['ioredis whose status is no text', (sent: Sent) => ioredis(sent, { status: 7 })],
    ['node-redis that is ready', (sent: Sent) => nodeRedis(sent, { isReady: true })],
  ])('go to a client of %s', async (_what, client) => {
    const sent: Sent = [];
    await redisCommands(client(sent)).evalsha('sha', [], []);
    expect(sent).toHaveLength(1);
  });
});

describe('the word for a fault', () => {
  it.each<[string, unknown, string]>([
    ['the code', { code: 'ECONNREFUSED', message: 'OOM x' }, 'ECONNREFUSED'],
    ['the first word of the message', new Error('NOPERM this user may not'), 'NOPERM'],
    ['a word alone', new Error('READONLY'), 'READONLY'],
    ['none in a sentence', new Error('Connection is closed.'), 'UNKNOWN'],
    ['none where the code goes on in small letters', { code: 'ERRor', message: '' }, 'UNKNOWN'],
    ['none where the code begins with small letters', { code: 'anERR', message: '' }, 'UNKNOWN'],
    ['none of a single letter', { code: 'E', message: '' }, 'UNKNOWN'],
    ['one of thirty letters', { code: 'E'.repeat(30) }, 'E'.repeat(30)],
    ['one of thirty letters in the message', { message: `${'E'.repeat(30)} x` }, 'E'.repeat(30)],
    ['none of thirty-one', { message: `${'E'.repeat(31)} x`, code: 'E'.repeat(31) }, 'UNKNOWN'],
    ['none of five megabytes', { message: 'E'.repeat(5_000_000) }, 'UNKNOWN'],
    ['none of a number', { code: 42, message: 42 }, 'UNKNOWN'],
    ['none of nothing', undefined, 'UNKNOWN'],
  ])('is %s', (_what, fault, word) => {
    expect(faultCode(fault)).toBe(word);
  });

  it('runs no code of what was thrown', () => {
    const trap = jest.fn(() => 'ERR');
    expect(faultCode({ code: { toString: trap }, message: { slice: trap } })).toBe('UNKNOWN');
    expect(trap).not.toHaveBeenCalled();
  });
});

describe('a script', () => {
  const script = { lua: 'return 1', sha: 'abc' };
  const noScript = new Error('NOSCRIPT No matching script');

  function make(evalsha: () => Promise<unknown>) {
    const clock = new FakeClock();
    const timer = jest.spyOn(clock, 'timer');
    const evaluate = jest.fn(async (..._args: unknown[]): Promise<unknown> => 'evaluated');
    const runner = new ScriptRunner({ evalsha, eval: evaluate }, script, 'key', clock);
    return { clock, timer, evaluate, runner };
  }

  it('that Redis does not know is sent once', async () => {
    const { runner, evaluate, clock } = make(() => Promise.reject(noScript));
    await expect(runner.run(['a'], 50)).resolves.toBe('evaluated');
    expect(evaluate.mock.calls).toEqual([['return 1', ['key'], ['a']]]);
    expect(clock.pending).toBe(0);
  });

  it('that Redis does not know is not sent for somebody who has stopped waiting', async () => {
    let refuse: (fault: Error) => void = () => undefined;
    const { runner, evaluate, clock } = make(() => new Promise((_, reject) => (refuse = reject)));
    const running = runner.run([], 50);
    const settled = expect(running).rejects.toMatchObject({
      name: 'RedisTimeout',
      code: 'ETIMEDOUT',
      message: 'Redis did not answer in time',
    });
    await clock.advance(50);
    await settled;
    refuse(noScript);
    await clock.advance(50);
    expect(evaluate).not.toHaveBeenCalled();
  });

  it('keeps the process alive for as long as somebody waits for it', async () => {
    const { runner, clock, timer } = make(() => new Promise(() => undefined));
    const settled = expect(runner.run([], 50)).rejects.toThrow('Redis did not answer in time');
    await clock.advance(50);
    await settled;
    expect(timer.mock.calls.map(([ms, , hold]) => [ms, hold])).toEqual([
      [49, 'ref'],
      [1, 'ref'],
    ]);
  });
});
