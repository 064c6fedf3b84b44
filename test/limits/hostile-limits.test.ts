import { getEventListeners } from 'node:events';
import { CircuitBreaker, faultCounts, lateResults, type RetryOptions, retry, retrySummary } from '../../src/core.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { FakeClock, recordCalls } from '../../src/testing/index.ts';
import { FORMS } from '../support/forms.ts';
import { outcomeOf, settle } from '../support/settle.ts';

let clock: FakeClock;
let base: RetryOptions;
beforeEach(() => {
  clock = new FakeClock();
  base = { clock, jitter: false, initialDelay: 100, maxAttempts: 2 };
});
const down = (): never => {
  throw new Error('down');
};
/** Runs a call whose first attempt fails; gives how many faults of limits were counted. */
async function faultsOf(options: RetryOptions): Promise<number> {
  const before = faultCounts().get('limit') ?? 0;
  const work = ({ number }: { number: number }): number => (number < 2 ? down() : number);
  expect(await settle(clock, retry(work, { ...base, ...options }))).toEqual({ value: 2 });
  return (faultCounts().get('limit') ?? 0) - before;
}

const budget = { name: 'x', balance: () => 1, deposit: () => undefined, tryWithdraw: () => 1 };
const breaker = { name: 'x', whenOpen: 'stop', tryEnter: () => 1, leave: () => undefined, openForMs: () => 0 } as const;
const adaptive = { name: 'x', admit: () => 0, record: () => undefined };

describe('a limit that throws', () => {
  it.each<[string, RetryOptions, number]>([
    ['nothing', { budget, breaker, adaptive }, 0],
    ['from deposit', { budget: { ...budget, deposit: down } }, 2],
    ['from charge', { budget: { ...budget, charge: down } }, 1],
    ['from tryEnter', { breaker: { ...breaker, tryEnter: down } }, 2],
    ['from leave', { breaker: { ...breaker, leave: down } }, 2],
    ['from openForMs', { breaker: { ...breaker, openForMs: down } }, 1],
    ['from admit', { adaptive: { ...adaptive, admit: down } }, 2],
    ['from record', { adaptive: { ...adaptive, record: down } }, 2],
    ['from the delay of a hedge', { hedge: { delayMs: down } }, 2],
    ['from what a hedge learns', { hedge: { delayMs: () => 50, record: down } }, 1],
  ])('%s is counted each time, and changes nothing', async (_what, options, faults) => {
    expect(await faultsOf(options)).toBe(faults);
  });

  it.each<[string, () => number | Promise<number>]>([
    ['throws', down],
    ['rejects', () => Promise.reject(new Error('down'))],
  ])('from tryWithdraw, which %s, is counted and grants nothing', async (_how, tryWithdraw) => {
    const before = faultCounts().get('limit') ?? 0;
    const work = jest.fn(down);
    const outcome = await settle(clock, retry(work, { ...base, budget: { ...budget, tryWithdraw } }));
    expect(retrySummary('error' in outcome && outcome.error)).toMatchObject({
      reason: 'budget_exhausted',
      attempts: 1,
    });
    expect((faultCounts().get('limit') ?? 0) - before).toBe(1);
  });

  it('from balance is counted by whoever watches', async () => {
    const ends: unknown[] = [];
    const observer = { call: () => ({ end: (end: unknown) => void ends.push(end) }) };
    expect(await faultsOf({ budget: { ...budget, balance: down }, observer })).toBe(1);
    expect(ends).toMatchObject([{ outcome: 'success', budgetTokens: undefined }]);
    expect(await faultsOf({ breaker, observer })).toBe(0);
  });
});

it('a budget is charged for what may be tried again, and for nothing else', async () => {
  const charge = jest.fn();
  const failing = (error: unknown): Promise<unknown> =>
    settle(
      clock,
      retry(() => Promise.reject(error), { ...base, maxAttempts: 1, budget: { ...budget, charge } }),
    );
  await failing(new Error('x'));
  await failing({ status: 429 });
  await failing({ status: 404 });
  await failing(Object.assign(new Error('x'), { name: 'AbortError' }));
  expect(charge.mock.calls).toEqual([['transient'], ['throttled']]);
});

it('a call does not wait for a circuit that was opened by hand', async () => {
  const forced = new CircuitBreaker({ clock, whenOpen: 'wait' });
  forced.forceOpen();
  const result = await settle(
    clock,
    retry(() => 1, { ...base, breaker: forced }),
  );
  expect(result).toMatchObject({ error: { code: 'ERR_RETRY_CIRCUIT_OPEN', openForMs: Infinity } });
});

it('a call waits at least a moment before it asks a full circuit again', async () => {
  const answers = [undefined, undefined, 1];
  const hair = { ...breaker, whenOpen: 'wait', tryEnter: () => answers.shift() } as const;
  expect(
    await settle(
      clock,
      retry(() => 'in', { ...base, breaker: hair }),
    ),
  ).toEqual({ value: 'in' });
  expect(clock.sleeps).toEqual([1, 1]);
});

it('a call does not wait for a circuit that says for how long by no number', async () => {
  for (const openForMs of [Number.NaN, undefined, 'x']) {
    const tryEnter = jest.fn(() => undefined);
    const odd = { ...breaker, whenOpen: 'wait', tryEnter, openForMs: () => openForMs as number } as const;
    const result = await settle(
      clock,
      retry(() => 1, { ...base, breaker: odd }),
    );
    expect(result).toMatchObject({ error: { code: 'ERR_RETRY_CIRCUIT_OPEN' } });
    expect([tryEnter.mock.calls.length, clock.sleeps]).toEqual([1, []]);
  }
});

describe('a fallback', () => {
  it('that hangs ends with the signal, in every form that can wait', async () => {
    for (const form of FORMS.filter(({ kind, name }) => kind === 'async' && name !== 'attempts')) {
      const controller = new AbortController();
      const { signal } = controller;
      const fallback = jest.fn(() => new Promise<never>(() => undefined));
      const call = outcomeOf(form.run(down, { ...base, signal, fallback } as RetryOptions<never>));
      await clock.runAll();
      expect(fallback).toHaveBeenCalledTimes(1);
      controller.abort('enough');
      expect([form.name, await call]).toEqual([form.name, { error: 'enough' }]);
      expect([clock.pending, getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
    }
  });

  it('is not asked, or not waited for, when the caller aborts as the call gives up', async () => {
    for (const where of ['the failure', 'onStop', 'the fallback']) {
      const controller = new AbortController();
      const abortIn = (here: string): void => {
        if (where === here) controller.abort('enough');
      };
      const fallback = jest.fn(async () => {
        abortIn('the fallback');
        throw new Error('late');
      });
      const work = (): Promise<never> => {
        queueMicrotask(() => queueMicrotask(() => abortIn('the failure')));
        return Promise.reject(new Error('down'));
      };
      const observer = recordCalls();
      const options = { ...base, maxAttempts: 1, signal: controller.signal, fallback, observer };
      const call = retry(work, { ...options, onStop: () => abortIn('onStop') });
      expect([where, await settle(clock, call)]).toEqual([where, { error: 'enough' }]);
      expect(fallback).toHaveBeenCalledTimes(where === 'the failure' ? 0 : 1);
      expect(observer.calls[0]?.end?.outcome).toBe('failure');
    }
  });

  it('may take longer than maxElapsed and the deadline', async () => {
    const fallback = (): Promise<string> => clock.sleep(5000, undefined, 'ref').then(() => 'cached');
    const { signal } = new AbortController();
    for (const options of [{}, { signal }]) {
      const hang = (): Promise<string> => new Promise(() => undefined);
      const call = retry(hang, { ...base, ...options, maxElapsed: 1000, fallback });
      expect(await settle(clock, call)).toEqual({ value: 'cached' });
    }
    expect(clock.elapsed).toBe(2 * (1000 + 5000));
  });

  it('that answers after the abort is no late result of an attempt', async () => {
    runtime.lateResults.clear();
    const controller = new AbortController();
    const gates = [Promise.withResolvers<string>(), Promise.withResolvers<boolean>()] as const;
    const options = { ...base, signal: controller.signal, operation: 'late' };
    const calls = [
      retry(down, { ...options, maxAttempts: 1, fallback: () => gates[0].promise }),
      retry(down, { ...options, retryOn: () => gates[1].promise }),
    ].map(outcomeOf);
    await clock.advance(1);
    controller.abort('enough');
    expect(await Promise.all(calls)).toEqual([{ error: 'enough' }, { error: 'enough' }]);
    gates[0].resolve('cached');
    gates[1].resolve(true);
    await clock.advance(1);
    expect(lateResults().size).toBe(0);
  });

  it('may answer later, with anything', async () => {
    for (const value of [null, undefined, 0, { then: 5 }]) {
      const call = retry(down, { ...base, fallback: async () => value });
      expect(await settle(clock, call as Promise<unknown>)).toEqual({ value });
      const atOnce = retry(down, { ...base, fallback: () => value });
      expect(await settle(clock, atOnce as Promise<unknown>)).toEqual({ value });
    }
  });

  it('that fails gives the error of the call, and is counted', async () => {
    const before = faultCounts().get('fallback') ?? 0;
    for (const fallback of [down, async () => down()]) {
      const error = new Error('the call');
      const work = (): never => {
        throw error;
      };
      expect(await settle(clock, retry(work, { ...base, fallback: fallback as () => never }))).toEqual({ error });
    }
    expect(faultCounts().get('fallback')).toBe(before + 2);
  });

  it('that is or answers with something hostile gives the error of the call, and is counted', async () => {
    const before = faultCounts().get('fallback') ?? 0;
    const rejecting = (_: unknown, reject: (fault: unknown) => void): void => reject(new Error('hostile'));
    const answers = [
      Object.assign(() => 1, { then: rejecting }),
      { then: rejecting },
      { then: down },
      Object.defineProperty({}, 'then', { get: down }),
      new Proxy({}, { has: down }),
    ];
    for (const answer of answers) {
      const error = new Error('the call');
      const call = retry(() => Promise.reject(error), { ...base, fallback: () => answer });
      expect(await settle(clock, call)).toEqual({ error });
    }
    const error = new Error('the call');
    const call = retry(() => Promise.reject(error), { ...base, fallback: Promise.reject(new Error('hostile')) });
    expect(await settle(clock, call)).toEqual({ error });
    expect(faultCounts().get('fallback')).toBe(before + answers.length + 1);
  });

  it('is not asked when the caller aborted', async () => {
    const controller = new AbortController();
    controller.abort('no');
    const fallback = jest.fn();
    const call = retry(() => 1, { ...base, fallback, signal: controller.signal });
    expect(await settle(clock, call)).toEqual({ error: 'no' });
    expect(fallback).not.toHaveBeenCalled();
  });

  it('takes the place of a result that was refused', async () => {
    const options = { ...base, retryOnResult: () => true, fallback: 'instead' };
    expect(
      await settle(
        clock,
        retry(() => 'refused', options),
      ),
    ).toEqual({ value: 'instead' });
  });
});

it('a function that was thrown and given up below is not retried above', async () => {
  const thrown = (): void => undefined;
  const work = jest.fn(() => {
    throw thrown;
  });
  const result = await settle(
    clock,
    retry(() => retry(work, base), { ...base, maxAttempts: 3 }),
  );
  expect(result).toEqual({ error: thrown });
  expect(work).toHaveBeenCalledTimes(2);
  expect(retrySummary(thrown)?.reason).toBe('already_retried');
});
