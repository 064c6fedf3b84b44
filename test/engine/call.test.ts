import {
  type Clock,
  faultCounts,
  type RetryOptions,
  RetryPolicy,
  retry,
  retrySummary,
  retrySync,
  setTesting,
} from '../../src/core.ts';
import { FakeClock, recordCalls } from '../../src/testing/index.ts';
import { FORMS } from '../support/forms.ts';
import { outcomeOf, settle } from '../support/settle.ts';

let clock: FakeClock;
let base: RetryOptions<never>;
beforeEach(() => {
  clock = new FakeClock();
  base = { clock, jitter: false, initialDelay: 100, operation: 'op' };
});
afterEach(() => setTesting());

const failing = (): never => {
  throw new Error('down');
};
const taking = (ms: number): Promise<number> => clock.sleep(ms, undefined, 'ref').then(() => ms);

describe('times', () => {
  it('are told to the observer: those of attempts, and that of the call', async () => {
    const observer = recordCalls();
    const work = async ({ number }: { number: number }): Promise<number> => {
      await taking(number * 10);
      return number < 3 ? failing() : number;
    };
    await settle(clock, retry(work, { ...base, observer } as RetryOptions<number>));
    const [call] = observer.calls;
    expect(call?.attempts.map(({ end }) => end?.durationMs)).toEqual([10, 20, 30]);
    expect(call?.end).toMatchObject({ durationMs: 10 + 100 + 20 + 200 + 30, totalDelayMs: 300 });
  });

  it('are told of a call that gave up, and of its summary', async () => {
    const observer = recordCalls();
    const error = new Error('down');
    const work = async (): Promise<never> => {
      await taking(10);
      throw error;
    };
    await settle(clock, retry(work, { ...base, observer, maxAttempts: 2 }));
    expect(observer.calls[0]?.attempts.map(({ end }) => end?.durationMs)).toEqual([10, 10]);
    expect(observer.calls[0]?.end).toMatchObject({ durationMs: 120, totalDelayMs: 100 });
    expect(retrySummary(error)).toMatchObject({ elapsedMs: 120, totalDelayMs: 100 });
  });

  it('are not read for a call that nobody watches and nothing limits', async () => {
    const error = new Error('down');
    const counting = jest.spyOn(clock, 'now');
    await settle(
      clock,
      retry(() => Promise.reject(error), base),
    );
    expect(counting).not.toHaveBeenCalled();
    expect(retrySummary(error)).toHaveProperty('elapsedMs', undefined);
  });

  it('count from the start of the call', async () => {
    const error = new Error('down');
    const work = async (): Promise<never> => {
      await taking(400);
      throw error;
    };
    await clock.advance(50_000);
    await settle(clock, retry(work, { ...base, maxElapsed: 1000, maxAttempts: 9 }));
    // 400, wait 100, 400: at 900; the wait of 200 would end at 1100.
    expect(retrySummary(error)).toMatchObject({ attempts: 2, elapsedMs: 900, reason: 'deadline_exceeded' });
  });
});

describe('what is remembered', () => {
  it('is the last 16 errors', async () => {
    const errors = Array.from({ length: 20 }, (_, i) => new Error(`failure ${i + 1}`));
    await settle(
      clock,
      retry(({ number }) => Promise.reject(errors[number - 1]), { ...base, maxAttempts: 20, backoff: 'constant' }),
    );
    expect(retrySummary(errors[19])?.errors).toEqual(errors.slice(4));
  });

  it('is frozen, and has no hint where there was none', async () => {
    const error = new Error('x');
    await settle(
      clock,
      retry(() => Promise.reject(error), { ...base, maxAttempts: 1 }),
    );
    const summary = retrySummary(error);
    expect([Object.isFrozen(summary), Object.isFrozen(summary?.errors), summary && 'retryAfterMs' in summary]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('is nothing but the reason for a call that never started', async () => {
    const reason = { retryAfterMs: 1e9 };
    await outcomeOf(retry(failing, { ...base, signal: AbortSignal.abort(reason) }));
    expect(retrySummary(reason)).toEqual({
      attempts: 0,
      reason: 'aborted',
      totalDelayMs: 0,
      elapsedMs: undefined,
      errors: [],
    });
  });

  it('is kept for functions too', async () => {
    const thrown = (): void => undefined;
    await settle(
      clock,
      retry(() => Promise.reject(thrown), { ...base, maxAttempts: 1 }),
    );
    expect(retrySummary(thrown)?.reason).toBe('attempts_exhausted');
  });
});

describe.each(FORMS.filter(form => form.name !== 'attempts').map(form => [form.name, form] as const))(
  'a refused result, in %s',
  (_name, form) => {
    it('is looked at for a hint of the server', async () => {
      const result = { headers: { 'retry-after': '2' } };
      await settle(
        clock,
        form.run(() => result, { ...base, maxAttempts: 2, retryOnResult: () => true } as RetryOptions<object>),
      );
      expect(clock.sleeps).toEqual([2000]);
    });

    it('may be followed by an error, which is then what the caller gets', async () => {
      const error = new Error('later');
      const work = (number: number): number => {
        if (number === 2) throw error;
        return number;
      };
      const call = form.run(work, { ...base, maxAttempts: 2, retryOnResult: () => true } as RetryOptions<number>);
      expect(await settle(clock, call)).toEqual({ error });
    });

    it('is a transient failure for observers, whatever retryOn says', async () => {
      const observer = recordCalls();
      const options = { ...base, observer, maxAttempts: 2, retryOn: 'NOTHING', retryOnResult: (n: number) => n < 2 };
      expect(
        await settle(
          clock,
          form.run(number => number, options as RetryOptions<number>),
        ),
      ).toEqual({ value: 2 });
      expect(observer.calls[0]?.attempts[0]?.end).toMatchObject({
        errorClass: 'transient',
        error: { code: 'ERR_RETRY_RESULT' },
      });
    });

    it('is none when the predicate throws, which is counted', async () => {
      const before = faultCounts().get('predicate') ?? 0;
      const options = { ...base, retryOnResult: failing } as RetryOptions<number>;
      expect(
        await settle(
          clock,
          form.run(number => number, options),
        ),
      ).toEqual({ value: 1 });
      expect(faultCounts().get('predicate')).toBe(before + 1);
    });

    it('is none when the predicate does not say true', async () => {
      const options = { ...base, retryOnResult: () => 'yes' } as never as RetryOptions<number>;
      expect(
        await settle(
          clock,
          form.run(number => number, options),
        ),
      ).toEqual({ value: 1 });
    });
  },
);

describe('an asynchronous predicate', () => {
  it('decides about results and errors', async () => {
    const byResult = retry(({ number }) => number, {
      ...base,
      retryOnResult: async n => n < 3,
    } as RetryOptions<number>);
    expect(await settle(clock, byResult)).toEqual({ value: 3 });
    const retryOn = async (error: unknown): Promise<boolean> => (error as Error).message === 'again';
    const byError = retry(({ number }) => Promise.reject(new Error(number < 2 ? 'again' : 'enough')), {
      ...base,
      retryOn,
    });
    expect(await settle(clock, byError)).toMatchObject({ error: { message: 'enough' } });
  });

  it('is cut off by maxElapsed, and by the signal', async () => {
    const never = (): Promise<boolean> => new Promise(() => undefined);
    const late = await settle(clock, retry(failing, { ...base, retryOn: never, maxElapsed: 500 }));
    expect(late).toMatchObject({ error: { message: 'down' } });
    expect(clock.elapsed).toBe(500);
    const slow = settle(
      clock,
      retry(() => 1, { ...base, retryOnResult: never, maxElapsed: 500 } as RetryOptions<number>),
    );
    expect(await slow).toMatchObject({ error: { code: 'ERR_RETRY_DEADLINE_EXCEEDED' } });
    const controller = new AbortController();
    const aborted = outcomeOf(
      retry(() => 1, { ...base, retryOnResult: never, signal: controller.signal } as RetryOptions<number>),
    );
    await clock.advance(1);
    controller.abort('enough');
    expect(await aborted).toEqual({ error: 'enough' });
  });

  it('has no attemptTimeout', async () => {
    const options = { ...base, attemptTimeout: 10, retryOnResult: () => taking(50).then(() => false) };
    expect(
      await settle(
        clock,
        retry(() => 1, options as RetryOptions<number>),
      ),
    ).toEqual({ value: 1 });
  });
});

describe('an interruption', () => {
  it('is told by its class and reason', async () => {
    const observer = recordCalls();
    const controller = new AbortController();
    const hang = (): Promise<never> => new Promise(() => undefined);
    const aborted = outcomeOf(retry(hang, { ...base, observer, signal: controller.signal }));
    controller.abort('enough');
    await aborted;
    await settle(clock, retry(hang, { ...base, observer, maxElapsed: 10 }));
    expect(observer.calls.map(({ attempts }) => attempts[0]?.end)).toMatchObject([
      { errorClass: 'cancelled', next: 'aborted', error: 'enough', nextDelayMs: 0 },
      { errorClass: 'transient', next: 'deadline_exceeded', nextDelayMs: 0 },
    ]);
    expect(observer.calls.map(({ end }) => end)).toMatchObject([
      { reason: 'aborted' },
      { reason: 'deadline_exceeded' },
    ]);
  });

  it('of the first attempt has no cause', async () => {
    const result = await settle(
      clock,
      retry(() => new Promise(() => undefined), { ...base, maxElapsed: 10 } as RetryOptions<unknown>),
    );
    expect('error' in result && 'cause' in (result.error as Error)).toBe(false);
  });

  it('is a timeout of the attempt when both limits are hit at once', async () => {
    const call = retry(() => new Promise(() => undefined), {
      ...base,
      attemptTimeout: 10,
      maxElapsed: 10,
    } as RetryOptions<unknown>);
    expect(await settle(clock, call)).toMatchObject({ error: { code: 'ERR_RETRY_ATTEMPT_TIMEOUT' } });
  });

  it('from within the attempt counts, even if the attempt then succeeds', async () => {
    for (const form of FORMS.filter(({ kind }) => kind === 'async')) {
      const controller = new AbortController();
      const work = (): number => {
        controller.abort('enough');
        return 1;
      };
      expect([
        form.name,
        await outcomeOf(form.run(work, { ...base, signal: controller.signal } as RetryOptions<number>)),
      ]).toEqual([form.name, { error: 'enough' }]);
    }
  });

  it('of the synchronous form is seen after the attempt', () => {
    const controller = new AbortController();
    let calls = 0;
    const work = (): never => {
      calls++;
      controller.abort('enough');
      return failing();
    };
    const observer = recordCalls();
    expect(() => retrySync(work, { ...base, observer, signal: controller.signal })).toThrow('enough');
    expect([calls, clock.sleeps]).toEqual([1, []]);
    expect(observer.calls[0]?.attempts[0]?.end).toMatchObject({ errorClass: 'cancelled', next: 'aborted' });
  });

  it('in the wait returns no refused result', async () => {
    const controller = new AbortController();
    const call = outcomeOf(
      retry(() => 1, { ...base, signal: controller.signal, retryOnResult: () => true } as RetryOptions<number>),
    );
    await clock.advance(50);
    controller.abort('enough');
    expect(await call).toEqual({ error: 'enough' });
  });
});

describe('the synchronous form', () => {
  it('stops after a wait that took too long', () => {
    const slow = { ...clockMethods(), block: (ms: number) => clock.block(ms * 100) };
    const work = jest.fn(failing);
    expect(() => retrySync(work, { ...base, clock: slow, maxElapsed: 5000 })).toThrow('down');
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('takes an asynchronous retryOn as a no, and counts it', () => {
    const before = faultCounts().get('predicate') ?? 0;
    const work = jest.fn(failing);
    expect(() => retrySync(work, { ...base, retryOn: async () => true })).toThrow('down');
    expect([work.mock.calls.length, faultCounts().get('predicate')]).toEqual([1, before + 1]);
  });

  it('throws the error where the fallback answers with a promise, and counts that', () => {
    const before = faultCounts().get('fallback') ?? 0;
    const fallback = (async () => 'late') as never;
    expect(() => retrySync(failing, { ...base, maxAttempts: 1, fallback })).toThrow('down');
    expect(faultCounts().get('fallback')).toBe(before + 1);
  });

  it('leaves no unhandled rejection behind when it refuses a promise', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    expect(() => retrySync(() => Promise.reject(new Error('x')), base as never)).toThrow('use retry');
    await new Promise(resolve => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('takes a budget that answers with a promise as a no, counts it, and tells nobody of a retry afterwards', async () => {
    const before = faultCounts().get('limit') ?? 0;
    const observer = recordCalls();
    const onRetry = jest.fn();
    const budget = { name: 'b', balance: () => 1, deposit: jest.fn(), tryWithdraw: async () => 1 };
    const work = jest.fn(failing);
    expect(() => retrySync(work, { ...base, budget, observer, onRetry })).toThrow('down');
    await new Promise(setImmediate);
    expect([work.mock.calls.length, faultCounts().get('limit')]).toEqual([1, before + 1]);
    expect(onRetry).not.toHaveBeenCalled();
    expect(budget.deposit.mock.calls).toEqual([['call', 0]]);
    expect(observer.calls[0]?.attempts.map(({ end }) => end)).toMatchObject([
      { errorClass: 'transient', next: 'budget_exhausted' },
    ]);
    expect(observer.calls[0]?.end).toMatchObject({ reason: 'budget_exhausted' });
  });

  it('asks a budget that answers at once as every form does', () => {
    const answers = [1, undefined];
    const budget = { name: 'b', balance: () => 1, deposit: () => undefined, tryWithdraw: () => answers.shift() };
    const work = jest.fn(failing);
    expect(() => retrySync(work, { ...base, budget, maxAttempts: 5 })).toThrow('down');
    expect(work).toHaveBeenCalledTimes(2);
  });

  it('refuses a result with a hostile `then` like a promise, and ends', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    const observer = recordCalls();
    const thenable = { then: failing };
    expect(() => retrySync(() => thenable, { ...base, observer } as never)).toThrow('use retry');
    await new Promise(setImmediate);
    process.off('unhandledRejection', unhandled);
    expect(observer.calls[0]?.end).toMatchObject({ outcome: 'failure', reason: 'not_retryable', attempts: 1 });
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('does not wait in testing mode', () => {
    setTesting({ delays: 'none' });
    expect(() => retrySync(failing, base)).toThrow('down');
    expect(clock.sleeps).toEqual([]);
  });
});

describe('the clock', () => {
  it('is told whether a wait may keep the process alive', async () => {
    const holds: string[] = [];
    const noting: Clock = {
      ...clockMethods(),
      sleep: async (_ms, _signal, hold) => {
        holds.push(hold);
      },
      timer: (_ms, _callback, hold) => {
        holds.push(hold);
        return () => undefined;
      },
    };
    await outcomeOf(retry(failing, { ...base, clock: noting, maxAttempts: 2 }));
    await outcomeOf(retry(failing, { ...base, clock: noting, maxAttempts: 2, unref: true, attemptTimeout: 5 }));
    expect(holds).toEqual(['ref', 'unref', 'unref', 'unref']);
  });

  it('that fails in a wait ends the call with the last error', async () => {
    const broken: Clock = { ...clockMethods(), sleep: () => Promise.reject(new Error('broken clock')) };
    const { signal } = new AbortController();
    for (const options of [{}, { signal }]) {
      const calls = FORMS.filter(({ kind }) => kind === 'async').map(form =>
        outcomeOf(form.run(failing, { ...base, ...options, clock: broken })),
      );
      for (const call of calls) expect(await call).toMatchObject({ error: { message: 'down' } });
    }
  });

  it('has no timer left when an attempt ends before its limit', async () => {
    await retry(() => 1, { ...base, attemptTimeout: 1000, maxElapsed: 5000 } as RetryOptions<number>);
    await outcomeOf(retry(failing, { ...base, attemptTimeout: 1000, maxAttempts: 1 }));
    expect(clock.pending).toBe(0);
  });

  it('is asked for no timer without a limit', async () => {
    const timer = jest.spyOn(clock, 'timer');
    await retry(() => 1, { ...base, signal: new AbortController().signal } as RetryOptions<number>);
    expect(timer).not.toHaveBeenCalled();
  });
});

describe('the first try', () => {
  it('takes promises of other kinds', async () => {
    class Other<T> extends Promise<T> {}
    const thenable = { then: (resolve: (value: number) => void) => resolve(7) } as PromiseLike<number>;
    expect(await retry(() => Other.resolve(5), base as RetryOptions<number>)).toBe(5);
    expect(await retry(() => thenable, base as RetryOptions<number>)).toBe(7);
    const rejecting = retry(
      ({ number }) => (number < 2 ? (Other.reject(new Error('x')) as Promise<number>) : 9),
      base as RetryOptions<number>,
    );
    expect(rejecting.constructor).toBe(Promise);
    expect(await settle(clock, rejecting)).toEqual({ value: 9 });
  });

  it('gives a promise of this realm, also of a promise of another kind', () => {
    class Other<T> extends Promise<T> {}
    expect(retry(() => Other.resolve(5), base as RetryOptions<number>)).not.toBeInstanceOf(Other);
  });
});

describe('a policy', () => {
  it('names a call after its function, at most 200 characters of it', async () => {
    const observer = recordCalls();
    const named = (name: unknown): (() => number) => Object.defineProperty(() => 1, 'name', { value: name });
    const policy = new RetryPolicy({ observer });
    await policy.execute(named('load'));
    await policy.execute(named('x'.repeat(300)));
    await policy.execute(named(5));
    await policy.execute(named(''));
    expect(observer.calls.map(call => call.info.operation)).toEqual([
      'load',
      'x'.repeat(200),
      'anonymous',
      'anonymous',
    ]);
  });

  it('announces its name when it is made, and each other name once', async () => {
    const prepared: string[] = [];
    const observer = { call: () => undefined, prepare: (info: { operation: string }) => prepared.push(info.operation) };
    const policy = new RetryPolicy({ observer, operation: 'named' });
    await policy.execute(() => 1);
    expect(prepared).toEqual(['named']);
    const nameless = new RetryPolicy({ observer });
    expect(prepared).toEqual(['named']);
    await nameless.execute(function load() {});
    await nameless.execute(function load() {});
    expect(prepared).toEqual(['named', 'load']);
  });

  it('remembers 200 names of functions', async () => {
    const infos = new Set<unknown>();
    const observer = {
      call: (info: unknown) => {
        infos.add(info);
        return undefined;
      },
    };
    const policy = new RetryPolicy({ observer });
    const call = (i: number): Promise<unknown> =>
      policy.execute(Object.defineProperty(() => 1, 'name', { value: `fn${i}` }));
    for (let i = 0; i < 201; i++) await call(i);
    await call(199);
    expect(infos.size).toBe(201);
    await call(200);
    expect(infos.size).toBe(202);
  });
});

function clockMethods(): Clock {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    random: () => clock.random(),
    sleep: (ms, signal, hold) => clock.sleep(ms, signal, hold),
    timer: (ms, callback, hold) => clock.timer(ms, callback, hold),
    block: ms => clock.block(ms),
  };
}
