import { NonRetryableError, type RetryOptions, retrySummary } from '../../src/core.ts';
import { FakeClock, recordCalls } from '../../src/testing/index.ts';
import { FORMS } from '../support/forms.ts';
import { outcomeOf, settle } from '../support/settle.ts';

const fails = (): never => {
  throw new Error('down');
};

describe.each(FORMS.map(form => [form.name, form] as const))('%s', (_name, form) => {
  let clock: FakeClock;
  let base: RetryOptions<never>;
  beforeEach(() => {
    clock = new FakeClock();
    base = { clock, jitter: false, initialDelay: 100, operation: 'op' };
  });

  it('gives the value of a first success and waits for nothing', async () => {
    const value = { some: 'object' };
    const result = await settle(
      clock,
      form.run(() => value, base as RetryOptions<object>),
    );
    expect(result).toEqual({ value });
    expect('value' in result && result.value).toBe(value);
    expect(clock.sleeps).toEqual([]);
  });

  it('gives the value of the attempt that succeeds', async () => {
    const numbers: number[] = [];
    const call = form.run(
      number => {
        numbers.push(number);
        return number < 3 ? fails() : number;
      },
      base as RetryOptions<number>,
    );
    expect(await settle(clock, call)).toEqual({ value: 3 });
    expect(numbers).toEqual([1, 2, 3]);
    expect(clock.sleeps).toEqual([100, 200]);
  });

  it('throws the last error, untouched, when the attempts run out', async () => {
    const errors = [new Error('one'), Object.freeze(new Error('two'))];
    const call = form.run(
      number => {
        throw errors[number - 1];
      },
      { ...base, maxAttempts: 2 },
    );
    const result = await settle(clock, call);
    expect('error' in result && result.error).toBe(errors[1]);
    expect(retrySummary(errors[1])).toMatchObject({
      attempts: 2,
      reason: 'attempts_exhausted',
      totalDelayMs: 100,
      errors,
    });
  });

  it('does not retry what is not retryable', async () => {
    let calls = 0;
    const error = new NonRetryableError('no');
    const result = await settle(
      clock,
      form.run(() => {
        calls++;
        throw error;
      }, base),
    );
    expect(result).toEqual({ error });
    expect(calls).toBe(1);
    expect(retrySummary(error)?.reason).toBe('not_retryable');
  });

  it('does not start when the signal has aborted already', async () => {
    let calls = 0;
    const reason = { why: 'shutting down' };
    const signal = AbortSignal.abort(reason);
    const result = await settle(
      clock,
      form.run(
        () => {
          calls++;
        },
        { ...base, signal } as RetryOptions<void>,
      ),
    );
    expect('error' in result && result.error).toBe(reason);
    expect(calls).toBe(0);
    expect(retrySummary(reason)).toMatchObject({ attempts: 0, reason: 'aborted' });
  });

  it('stops when the wait would pass maxElapsed', async () => {
    let calls = 0;
    const error = new Error('down');
    const result = await settle(
      clock,
      form.run(
        () => {
          calls++;
          throw error;
        },
        { ...base, maxAttempts: 10, maxElapsed: 500 },
      ),
    );
    // 100, 200; the wait of 400 would end at 700.
    expect('error' in result && result.error).toBe(error);
    expect(calls).toBe(3);
    expect(retrySummary(error)).toMatchObject({ reason: 'deadline_exceeded', totalDelayMs: 300, elapsedMs: 300 });
  });

  it('retries a result that is refused, and gives the last one when the attempts run out', async () => {
    const call = form.run(number => number, { ...base, retryOnResult: () => true } as RetryOptions<number>);
    const result = await settle(clock, call);
    if (form.name === 'attempts') expect(result).toEqual({ value: undefined });
    else expect(result).toEqual({ value: 3 });
    expect(clock.sleeps).toEqual([100, 200]);
  });

  it('tells its observer every attempt and one end', async () => {
    const observer = recordCalls();
    await settle(
      clock,
      form.run(number => (number < 2 ? fails() : 'done'), { ...base, observer } as RetryOptions<string>),
    );
    const [call] = observer.calls;
    expect(observer.calls).toHaveLength(1);
    expect(call?.info).toEqual({ operation: 'op', maxAttempts: 3, attributes: {} });
    expect(call?.attempts.map(({ info, end }) => [info.number, info.delayMs, info.delaySource, end?.outcome])).toEqual([
      [1, 0, 'none', 'failure'],
      [2, 100, 'backoff', 'success'],
    ]);
    expect(call?.attempts[0]?.end).toMatchObject({ next: 'retry', nextDelayMs: 100, errorClass: 'transient' });
    expect(call?.events).toMatchObject([{ type: 'retry_scheduled', attempt: 1, nextAttempt: 2, delayMs: 100 }]);
    expect(call?.end).toEqual({ outcome: 'success', attempts: 2, durationMs: 100, totalDelayMs: 100 });
  });

  it('tells its observer why it gave up', async () => {
    const observer = recordCalls();
    await settle(clock, form.run(fails, { ...base, observer, maxAttempts: 1 }));
    expect(observer.calls[0]?.attempts[0]?.end).toMatchObject({ next: 'attempts_exhausted', nextDelayMs: 0 });
    expect(observer.calls[0]?.end).toMatchObject({ outcome: 'failure', reason: 'attempts_exhausted', attempts: 1 });
  });

  it('calls onRetry before each wait and onStop once', async () => {
    const events: unknown[] = [];
    await settle(
      clock,
      form.run(fails, {
        ...base,
        onRetry: event => events.push([event.operation, event.attempt, event.delayMs, event.delaySource]),
        onStop: event => events.push([event.operation, event.reason, event.attempts]),
      }),
    );
    expect(events).toEqual([
      ['op', 1, 100, 'backoff'],
      ['op', 2, 200, 'backoff'],
      ['op', 'attempts_exhausted', 3],
    ]);
  });

  it('refuses a wrong option', async () => {
    const run = async (): Promise<unknown> => form.run(() => 1, { maxAttempts: 0 });
    await expect(run()).rejects.toThrow(RangeError);
  });

  if (form.kind === 'async') {
    it('settles at once when the signal aborts in an attempt that ignores it', async () => {
      const controller = new AbortController();
      const call = outcomeOf(
        form.run(() => new Promise<never>(() => undefined), { ...base, signal: controller.signal }),
      );
      await clock.advance(10);
      const reason = new Error('enough');
      controller.abort(reason);
      expect(await call).toEqual({ error: reason });
      expect(retrySummary(reason)).toMatchObject({ attempts: 1, reason: 'aborted' });
    });

    it('settles at once when the signal aborts in a wait, makes no further attempt and leaves no timer', async () => {
      const controller = new AbortController();
      let calls = 0;
      const work = (): never => {
        calls++;
        return fails();
      };
      const call = outcomeOf(form.run(work, { ...base, signal: controller.signal }));
      await clock.advance(50);
      controller.abort('enough');
      expect(await call).toEqual({ error: 'enough' });
      expect(clock.pending).toBe(0);
      await clock.advance(10_000);
      expect(calls).toBe(1);
    });

    it('cuts off an attempt that takes longer than attemptTimeout, and retries it', async () => {
      const call = form.run(number => (number < 3 ? new Promise<number>(() => undefined) : number), {
        ...base,
        attemptTimeout: 1000,
      } as RetryOptions<number>);
      expect(await settle(clock, call)).toEqual({ value: 3 });
      expect(clock.elapsed).toBe(1000 + 100 + 1000 + 200);
      expect(clock.pending).toBe(0);
    });

    it('cuts off an attempt at maxElapsed, with the error before it as the cause', async () => {
      const call = form.run(number => (number === 1 ? fails() : new Promise<never>(() => undefined)), {
        ...base,
        maxElapsed: 1000,
      });
      const result = await settle(clock, call);
      expect(result).toMatchObject({ error: { code: 'ERR_RETRY_DEADLINE_EXCEEDED', cause: { message: 'down' } } });
      expect(clock.elapsed).toBe(1000);
      expect(retrySummary('error' in result && result.error)).toMatchObject({
        reason: 'deadline_exceeded',
        attempts: 2,
      });
    });

    it('treats a synchronous throw like a rejection', async () => {
      const call = form.run(number => (number === 1 ? fails() : Promise.resolve('ok')), base as RetryOptions<string>);
      expect(await settle(clock, call)).toEqual({ value: 'ok' });
    });

    it('swallows what an attempt brings after it was cut off', async () => {
      const late: ((error: Error) => void)[] = [];
      const unhandled = jest.fn();
      process.on('unhandledRejection', unhandled);
      const call = form.run(
        () =>
          new Promise<never>((_, reject) => {
            late.push(reject);
          }),
        { ...base, attemptTimeout: 10, maxAttempts: 2 },
      );
      const result = await settle(clock, call);
      for (const reject of late) reject(new Error('late'));
      await new Promise(resolve => setImmediate(resolve));
      process.off('unhandledRejection', unhandled);
      expect(result).toMatchObject({ error: { code: 'ERR_RETRY_ATTEMPT_TIMEOUT' } });
      expect(unhandled).not.toHaveBeenCalled();
    });

    it.each([
      ['true', true, 'attempts_exhausted', 3],
      ['transient', 'transient', 'attempts_exhausted', 3],
      ['false', false, 'not_retryable', 1],
      ['permanent', 'permanent', 'not_retryable', 1],
      ['cancelled', 'cancelled', 'not_retryable', 1],
    ] as const)(
      'takes the verdict of an asynchronous classifier that says %s',
      async (_name, said, reason, attempts) => {
        const result = await settle(clock, form.run(fails, { ...base, maxAttempts: 3, retryOn: async () => said }));
        expect(result).toMatchObject({ error: { message: 'down' } });
        expect(retrySummary('error' in result && result.error)).toMatchObject({ reason, attempts });
      },
    );

    it('waits for an asynchronous classifier no longer than the call may take', async () => {
      const retryOn = () => new Promise<boolean>(() => undefined);
      const result = await settle(clock, form.run(fails, { ...base, maxElapsed: 500, retryOn }));
      expect(result).toMatchObject({ error: { message: 'down' } });
      expect(retrySummary('error' in result && result.error)).toMatchObject({
        reason: 'deadline_exceeded',
        attempts: 1,
        elapsedMs: 500,
      });
    });

    it('waits for an asynchronous classifier, unless the signal aborts', async () => {
      const controller = new AbortController();
      const call = outcomeOf(
        form.run(fails, { ...base, retryOn: () => new Promise<boolean>(() => undefined), signal: controller.signal }),
      );
      await clock.advance(10);
      controller.abort('enough');
      expect(await call).toEqual({ error: 'enough' });
    });
  }

  if (form.hasContext) {
    it('tells the function of its attempt', async () => {
      const seen: unknown[] = [];
      await settle(
        clock,
        form.run(
          (number, context) => {
            seen.push([
              context?.number,
              context?.maxAttempts,
              context?.delayMs,
              (context?.previousError as Error)?.message,
            ]);
            return number < 3 ? fails() : 1;
          },
          base as RetryOptions<number>,
        ),
      );
      expect(seen).toEqual([
        [1, 3, 0, undefined],
        [2, 3, 100, 'down'],
        [3, 3, 200, 'down'],
      ]);
    });
  }

  if (form.hasContext && form.kind === 'async') {
    it('gives each attempt a signal of its own, which aborts with it and never after it', async () => {
      const signals: (AbortSignal | undefined)[] = [];
      const call = form.run(
        (number, context) => {
          signals.push(context?.signal);
          return number === 1 ? new Promise<number>(() => undefined) : 2;
        },
        { ...base, attemptTimeout: 100 } as RetryOptions<number>,
      );
      await settle(clock, call);
      expect(signals[0]).not.toBe(signals[1]);
      expect(signals.map(signal => signal?.aborted)).toEqual([true, false]);
      expect(signals[0]?.reason).toMatchObject({ code: 'ERR_RETRY_ATTEMPT_TIMEOUT', timeoutMs: 100 });
    });

    it('hands the reason of an abort to the attempt, also when it asks late', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      let late: AbortSignal | undefined;
      const call = outcomeOf(
        form.run(
          (_, context) =>
            new Promise<never>(() => {
              controller.signal.addEventListener('abort', () => {
                queueMicrotask(() => {
                  late = context?.signal;
                });
              });
            }),
          { ...base, signal: controller.signal },
        ),
      );
      await clock.advance(1);
      controller.abort(reason);
      await call;
      await clock.advance(1);
      expect(late?.reason).toBe(reason);
    });
  }
});
