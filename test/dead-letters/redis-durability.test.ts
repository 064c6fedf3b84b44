import {
  configuredSettings,
  isTold,
  lossesOf,
  type ServerSettings,
  settingsOfInfo,
} from '../../src/recovery/dead-letters/redis/durability.ts';

const GOOD: ServerSettings = {
  appendonly: 'yes',
  appendfsync: 'always',
  noAppendfsyncOnRewrite: 'no',
  maxmemoryPolicy: 'noeviction',
};

describe('what loses letters', () => {
  it.each<[ServerSettings, readonly RegExp[]]>([
    [GOOD, []],
    [{}, []],
    [{ ...GOOD, maxmemoryPolicy: 'volatile-lru' }, []],
    [{ ...GOOD, appendonly: 'no', appendfsync: 'everysec' }, [/^appendonly is no/]],
    [{ ...GOOD, appendfsync: 'everysec' }, [/^appendfsync is everysec/]],
    [{ appendfsync: 'no' }, [/^appendfsync is no/]],
    [{ ...GOOD, noAppendfsyncOnRewrite: 'yes' }, [/^no-appendfsync-on-rewrite is yes/]],
    [
      { ...GOOD, appendfsync: 'no', maxmemoryPolicy: 'allkeys-lfu' },
      [/^appendfsync/, /^maxmemory-policy is allkeys-lfu/],
    ],
  ])('of %j', (settings, expected) => {
    expect(lossesOf(settings)).toEqual(expected.map(pattern => expect.stringMatching(pattern)));
  });

  it.each<[ServerSettings, boolean]>([
    [GOOD, true],
    [{ appendonly: 'no' }, true],
    [{ appendonly: 'yes' }, false],
    [{ appendfsync: 'always' }, false],
    [{}, false],
  ])('is told by %j: %p', (settings, expected) => {
    expect(isTold(settings)).toBe(expected);
  });
});

describe('what a server says of itself', () => {
  const none = { appendonly: undefined, maxmemoryPolicy: undefined };

  it.each<[unknown, ServerSettings]>([
    [
      ['# Persistence\r\naof_enabled:1\r\n', 'maxmemory_policy:allkeys-lru\r\n'],
      { appendonly: 'yes', maxmemoryPolicy: 'allkeys-lru' },
    ],
    [[Buffer.from('loading:0\naof_enabled:0'), ''], { appendonly: 'no', maxmemoryPolicy: undefined }],
    [['', ''], none],
    [null, none],
    ['nothing', none],
  ])('is read from %p', (reply, expected) => {
    expect(settingsOfInfo(reply)).toEqual(expected);
  });
});

describe('the configuration', () => {
  const replies: Readonly<Record<string, readonly string[]>> = {
    '*append*': ['appendonly', 'yes', 'appendfsync', 'always', 'no-appendfsync-on-rewrite', 'no'],
    'maxmemory-policy': ['maxmemory-policy', 'noeviction'],
  };
  const reply = (args: readonly unknown[]): readonly string[] => {
    expect(args.slice(0, 2)).toEqual(['CONFIG', 'GET']);
    return replies[String(args[2])] ?? [];
  };
  const asObject = (list: readonly string[]): Record<string, string> =>
    Object.fromEntries(list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1] ?? '']] : [])));
  const ioredis = {
    defineCommand: () => undefined,
    call: async (command: string, args: unknown[]) => reply([command, ...args]),
  };
  const ask = (client: object): Promise<readonly ServerSettings[]> =>
    configuredSettings(client, '{letters}', work => work());

  it.each<[string, object, number]>([
    ['ioredis', ioredis, 1],
    [
      'every master of a cluster of ioredis',
      { ...ioredis, nodes: (role: string) => (role === 'master' ? [ioredis, ioredis] : []) },
      2,
    ],
    ['node-redis', { sendCommand: async (args: unknown[]) => reply(args) }, 1],
    [
      'node-redis with maps',
      { sendCommand: async (args: unknown[]) => new Map(Object.entries(asObject(reply(args)))) },
      1,
    ],
    ['node-redis with objects', { sendCommand: async (args: unknown[]) => asObject(reply(args)) }, 1],
    [
      'node-redis with buffers',
      { sendCommand: async (args: unknown[]) => reply(args).map(text => Buffer.from(text)) },
      1,
    ],
    [
      'a cluster of node-redis',
      {
        nodeClient: () => undefined,
        sendCommand: async (key: string, isReadonly: boolean, args: unknown[]) => {
          expect([key, isReadonly]).toEqual(['{letters}', false]);
          return reply(args);
        },
      },
      1,
    ],
    [
      'a sentinel of node-redis',
      {
        getSentinelNode: () => undefined,
        sendCommand: async (isReadonly: boolean, args: unknown[]) => (isReadonly ? [] : reply(args)),
      },
      1,
    ],
    ['nobody, where a client only runs scripts', { eval: () => undefined, evalsha: () => undefined }, 0],
  ])('is that of %s', async (_, client, servers) => {
    expect(await ask(client)).toEqual(Array(servers).fill(GOOD));
  });

  it('is that of the masters that answer, while one is down', async () => {
    const down = { ...ioredis, call: () => Promise.reject(new Error('Connection is closed.')) };
    expect(await ask({ ...ioredis, nodes: () => [down, ioredis] })).toEqual([GOOD]);
    await expect(ask({ ...ioredis, nodes: () => [down] })).rejects.toThrow('Connection is closed.');
  });

  it('is unknown where it is forbidden, and a fault where the server does not answer', async () => {
    class ReplyError extends Error {}
    const failing = (fault: Error): object => ({ ...ioredis, call: () => Promise.reject(fault) });
    expect(await ask(failing(new ReplyError("ERR unknown command 'CONFIG'")))).toEqual([{}]);
    expect(await ask(failing(new ReplyError('NOPERM this user has no permissions')))).toEqual([{}]);
    for (const fault of [new ReplyError('LOADING the data'), Object.assign(new Error('x'), { code: 'ECONNRESET' })]) {
      await expect(ask(failing(fault))).rejects.toBe(fault);
    }
  });
});
