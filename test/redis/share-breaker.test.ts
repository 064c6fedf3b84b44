import { FakeClock } from 'retryscope/testing';
import { runtime } from '../../src/engine/runtime.ts';
import { CircuitBreaker } from '../../src/limits/circuit-breaker.ts';
import { type RedisCommands, shareBreaker } from '../../src/limits/redis/index.ts';

/** Lets one attempt fail; the breakers here open with the first. */
function fail(breaker: CircuitBreaker): void {
  const permit = breaker.tryEnter();
  if (permit !== undefined) breaker.leave(permit, 'failure');
}

function succeed(breaker: CircuitBreaker): void {
  const permit = breaker.tryEnter();
  if (permit !== undefined) breaker.leave(permit, 'success');
}

describe('a shared breaker, by itself', () => {
  type Reply = readonly unknown[] | 'fails' | 'hangs';

  function make(reply: Reply = ['', '', 0]) {
    const clock = new FakeClock();
    const said: (readonly [string, number])[] = [];
    const store = { reply };
    const evalsha: RedisCommands['evalsha'] = async (_sha, _keys, args) => {
      said.push([args[0] as string, Number(args[1])]);
      if (store.reply === 'hangs') return new Promise(() => undefined);
      if (store.reply === 'fails') throw new Error('OOM command not allowed');
      return store.reply;
    };
    const breaker = new CircuitBreaker({ trip: { kind: 'consecutive', failures: 1 }, openMs: 5000, clock });
    const shared = shareBreaker(breaker, { evalsha, eval: evalsha }, { clock });
    return { clock, said, store, breaker, shared };
  }

  it('looks once a second', async () => {
    const { clock, said } = make();
    await clock.advance(3000);
    expect(said).toEqual(Array(4).fill(['', 0]));
  });

  it('tells at once that it has opened, and that it has closed after a probe', async () => {
    const { clock, said, breaker, store } = make();
    await clock.advance(10);
    store.reply = ['1', 'open', 5000];
    fail(breaker);
    await clock.advance(0);
    expect(said.at(-1)).toEqual(['open', 5000]);
    await clock.advance(5000);
    succeed(breaker);
    await clock.advance(0);
    expect([breaker.state.at, said.at(-1)]).toEqual(['closed', ['closed', 0]]);
    await clock.advance(1000);
    expect(said.at(-1)).toEqual(['', 0]);
  });

  it('tells what it was when it came', async () => {
    const clock = new FakeClock();
    const said: unknown[] = [];
    const evalsha = async (_sha: string, _keys: string[], args: string[]): Promise<unknown> => {
      said.push(args);
      return ['1', 'open', 1];
    };
    const breaker = new CircuitBreaker({ trip: { kind: 'consecutive', failures: 1 }, openMs: 5000, clock });
    fail(breaker);
    using _ = shareBreaker(breaker, { evalsha, eval: evalsha }, { clock });
    await clock.advance(0);
    expect(said).toEqual([['open', '5000']]);
  });

  it('opens for as long as the others have left, and is told once', async () => {
    const { clock, breaker, store, said } = make();
    store.reply = ['7', 'open', 1500];
    await clock.advance(1000);
    expect([breaker.state.at, breaker.openForMs()]).toEqual(['open', 1500]);
    await clock.advance(1500);
    // The same word again does not open it again.
    expect(breaker.state.at).toBe('half_open');
    expect(said.every(([says]) => says === '')).toBe(true);
  });

  it('closes when the others have closed it, and opens again with a probe of theirs', async () => {
    const { clock, breaker, store } = make(['7', 'open', 60_000]);
    await clock.advance(0);
    store.reply = ['8', 'closed', 0];
    await clock.advance(1000);
    expect(breaker.state.at).toBe('closed');
    store.reply = ['9', 'open', 100];
    await clock.advance(1100);
    expect(breaker.state.at).toBe('half_open');
    store.reply = ['10', 'open', 700];
    await clock.advance(900);
    expect(breaker.state.at).toBe('open');
  });

  it('what was opened by hand stays a matter of its process', async () => {
    const { clock, breaker, store, said } = make();
    breaker.forceOpen();
    store.reply = ['7', 'open', 1500];
    await clock.advance(1000);
    store.reply = ['8', 'closed', 0];
    await clock.advance(1000);
    expect(breaker.state.at).toBe('forced_open');
    breaker.reset();
    await clock.advance(1000);
    expect([breaker.state.at, said.every(([says]) => says === '')]).toEqual(['closed', true]);
  });

  it('an end that has passed does not open it', async () => {
    const { clock, breaker } = make(['7', 'open', 0]);
    await clock.advance(0);
    expect(breaker.state.at).toBe('closed');
  });

  it('a stamp beyond any timer is cut', async () => {
    const { clock, breaker } = make(['7', 'open', 2 ** 40]);
    await clock.advance(0);
    expect([breaker.state.at, breaker.openForMs()]).toEqual(['open', 2 ** 31 - 1]);
  });

  it.each<[string, Reply, string]>([
    ['refuses', 'fails', 'OOM'],
    ['hangs', 'hangs', 'ETIMEDOUT'],
    ['answers rubbish', ['7', 'ajar', 0], 'UNKNOWN'],
    ['answers nothing', [], 'UNKNOWN'],
    ['answers a time that cannot be', ['7', 'open', -1], 'UNKNOWN'],
  ])('works alone while Redis %s, and tells its news afterwards', async (_, reply, fault) => {
    const { clock, breaker, store, shared, said } = make(reply);
    await clock.advance(60);
    expect([shared.mode, shared.fault]).toEqual(['degraded', fault]);
    fail(breaker);
    expect(breaker.state.at).toBe('open');
    await clock.advance(100);
    store.reply = ['9', 'open', 5000];
    await clock.advance(2000);
    expect([shared.mode, shared.fault, said.filter(([says]) => says === 'open').length > 0]).toEqual([
      'shared',
      undefined,
      true,
    ]);
    await clock.advance(1000);
    expect(said.at(-1)).toEqual(['', 0]);
  });

  it('news that come while a request is on its way are told next', async () => {
    const { clock, breaker, said } = make(['7', 'closed', 0]);
    // The first request has left in the turn in which it was shared.
    fail(breaker);
    await clock.advance(0);
    expect(said).toEqual([
      ['', 0],
      ['open', 5000],
    ]);
    expect(breaker.state.at).toBe('open');
  });

  it('takes an own word for its own, and another of the same kind for news', async () => {
    const { clock, breaker, store } = make();
    await clock.advance(0);
    store.reply = ['1', 'open', 60_000];
    fail(breaker);
    await clock.advance(0);
    // Its own word comes back with each answer; the time that is left there is not taken over.
    store.reply = ['1', 'open', 1];
    await clock.advance(1000);
    expect(breaker.openForMs()).toBe(4000);
  });

  it.each<[string, readonly unknown[]]>([
    ['no word yet', ['', 'open', 700]],
    ['a word without a state', ['8', '', 700]],
  ])('lets %s change nothing', async (_what, reply) => {
    const { clock, breaker, shared } = make(reply);
    await clock.advance(10);
    expect([breaker.state.at, shared.mode]).toEqual(['closed', 'shared']);
    breaker.trip(60_000);
    await clock.advance(2000);
    expect(breaker.state.at).toBe('open');
  });

  it('leaves an open circuit as it is when others open it later', async () => {
    const { clock, breaker, store } = make(['7', 'open', 60_000]);
    await clock.advance(0);
    store.reply = ['8', 'open', 500];
    await clock.advance(1000);
    expect(breaker.openForMs()).toBe(59_000);
  });

  it('closes a circuit that is probed when others have closed it', async () => {
    const { clock, breaker, store } = make(['7', 'open', 500]);
    await clock.advance(600);
    expect(breaker.state.at).toBe('half_open');
    store.reply = ['8', 'closed', 0];
    await clock.advance(1000);
    expect(breaker.state.at).toBe('closed');
  });

  it('asks less often the longer Redis is away, and reports that once', async () => {
    const faults = runtime.faults.get('limit') ?? 0;
    const { clock, said, breaker } = make('fails');
    await clock.advance(30_000);
    const rate = said.length;
    expect(rate).toBeGreaterThan(5);
    expect(rate).toBeLessThan(30);
    fail(breaker);
    // The news wait for the next look: Redis is not asked at once.
    expect(said).toHaveLength(rate);
    expect(runtime.faults.get('limit')).toBe(faults + 1);
  });

  it('lets the process end between two looks', async () => {
    const clock = new FakeClock();
    const timer = jest.spyOn(clock, 'timer');
    const evalsha = async (): Promise<unknown> => ['', '', 0];
    using _ = shareBreaker(new CircuitBreaker({ clock }), { evalsha, eval: evalsha }, { clock });
    await clock.advance(10);
    expect(timer.mock.calls.at(-1)?.slice(0, 3)).toEqual([1000, expect.any(Function), 'unref']);
  });

  it.each<[string, Reply]>([
    ['an answer', ['7', 'open', 5000]],
    ['a fault', 'fails'],
  ])('lets %s that comes after its end change nothing', async (_what, reply) => {
    const { clock, breaker, shared } = make(reply);
    shared.close();
    await clock.advance(10_000);
    expect([breaker.state.at, shared.mode, shared.fault, clock.pending]).toEqual(['closed', 'degraded', undefined, 0]);
  });

  it('closed, it asks and tells no more', async () => {
    const { clock, breaker, said, shared } = make('hangs');
    shared.close();
    fail(breaker);
    await clock.advance(60_000);
    expect([said.length, clock.pending, shared.fault]).toEqual([1, 0, undefined]);
    const second = make();
    await second.clock.advance(10);
    second.shared[Symbol.dispose]();
    expect([second.clock.pending, second.shared.mode]).toEqual([0, 'degraded']);
  });

  it.each<[string, () => unknown, string]>([
    [
      'no breaker',
      () => shareBreaker({} as CircuitBreaker, {} as RedisCommands),
      'breaker is an object; it must be a CircuitBreaker',
    ],
    ['no redis', () => shareBreaker(new CircuitBreaker(), {} as RedisCommands), 'redis is an object'],
    [
      'a hurry',
      () =>
        make() && shareBreaker(new CircuitBreaker(), { eval: async () => 1, evalsha: async () => 1 }, { pollMs: 1 }),
      'pollMs is 1',
    ],
    [
      'a slip',
      () => shareBreaker(new CircuitBreaker(), { eval: async () => 1, evalsha: async () => 1 }, { poll: 1 } as object),
      '"poll" is not an option',
    ],
  ])('options: %s', (_, run, message) => {
    expect(run).toThrow(message);
  });
});
