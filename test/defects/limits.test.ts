// Defects of breakers and limits in use today. None of them may be ours.
import { CircuitBreaker, type RetryOptions, retry } from '../../src/core.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { outcomeOf, settle } from '../support/settle.ts';

let clock: FakeClock;
let breaker: CircuitBreaker;
let base: RetryOptions;
beforeEach(() => {
  clock = new FakeClock();
  breaker = new CircuitBreaker({ clock });
  base = { clock, jitter: false, initialDelay: 100, breaker };
});

it('T26: a function that returns nothing at all is a success behind a breaker', async () => {
  expect(
    await settle(
      clock,
      retry(() => undefined, base),
    ),
  ).toEqual({ value: undefined });
  expect(breaker.state.calls.success).toBe(1);
});

it('T27: the timeout of one call aborts no other', async () => {
  const signals: AbortSignal[] = [];
  const hang = (): Promise<unknown> =>
    retry(
      ({ signal }) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
      { ...base, attemptTimeout: 50, maxAttempts: 1 },
    );
  const first = outcomeOf(hang());
  await clock.advance(30);
  const second = outcomeOf(hang());
  await clock.advance(20);
  expect(await first).toMatchObject({ error: { code: 'ERR_RETRY_ATTEMPT_TIMEOUT' } });
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  await clock.runAll();
  await second;
  expect(
    await settle(
      clock,
      retry(({ signal }) => signal.aborted, base),
    ),
  ).toEqual({ value: false });
});

it('T1: an abort while a call waits for an open circuit settles it at once', async () => {
  const controller = new AbortController();
  const waiting = new CircuitBreaker({ clock, whenOpen: 'wait' });
  waiting.trip(10_000);
  const work = jest.fn();
  const call = outcomeOf(retry(work, { ...base, breaker: waiting, signal: controller.signal }));
  await clock.advance(50);
  controller.abort('now');
  expect([await call, clock.elapsed, clock.pending, work.mock.calls.length]).toEqual([{ error: 'now' }, 50, 0, 0]);
});

it('a breaker of the user’s own that throws bars nobody', async () => {
  const down = (): never => {
    throw new Error('breaker');
  };
  const broken = { name: 'broken', whenOpen: 'stop', tryEnter: down, leave: down, openForMs: down } as const;
  const adaptive = { name: 'broken', admit: down, record: down };
  const call = retry(({ number }) => (number < 2 ? Promise.reject(new Error('x')) : number), {
    ...base,
    breaker: broken,
    adaptive,
  });
  expect(await settle(clock, call)).toEqual({ value: 2 });
});

it('a call that ends in the middle gives its permit back', async () => {
  breaker.trip(0);
  const controller = new AbortController();
  const call = outcomeOf(retry(() => new Promise(() => undefined), { ...base, signal: controller.signal }));
  await clock.advance(1);
  expect(breaker.state.at).toBe('half_open');
  expect(breaker.tryEnter()).toBeUndefined();
  controller.abort('gone');
  await call;
  expect(breaker.tryEnter()).toBeDefined();
});
