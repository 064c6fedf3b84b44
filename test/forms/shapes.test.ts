import { getEventListeners } from 'node:events';
import {
  attempts,
  OperationClosedError,
  RetryableOperation,
  RetryPolicy,
  retry,
  retrySummary,
  retrySync,
  retryWithBackoff,
  withRetry,
} from '../../src/core.ts';
import { FakeClock, recordCalls } from '../../src/testing/index.ts';
import { outcomeOf } from '../support/settle.ts';

const flaky = (failures: number): (() => string) => {
  let calls = 0;
  return () => {
    if (++calls <= failures) throw new Error(`failure ${calls}`);
    return 'ok';
  };
};
const noWait = { initialDelay: 0, jitter: false } as const;

describe('a wrapped function', () => {
  function load(this: { readonly prefix: string }, id: number, suffix: string): string {
    return `${this.prefix}${id}${suffix}`;
  }
  const wrapped = withRetry(load, noWait);

  it('keeps this, the parameters, the name and the length', async () => {
    await expect(wrapped.call({ prefix: 'user ' }, 42, '!')).resolves.toBe('user 42!');
    expect([wrapped.name, wrapped.length]).toEqual(['load', 2]);
  });

  it('is no constructor', () => {
    expect(() => Reflect.construct(wrapped as never, [])).toThrow(TypeError);
  });

  it('has its types inferred', async () => {
    const result: string = await wrapped.call({ prefix: '' }, 1, '');
    const policy = new RetryPolicy(noWait);
    const doubled: number = await policy.wrap((n: number) => n * 2)(21);
    const inferred: { readonly id: number } = await retry(async () => ({ id: 1 }), noWait);
    // @ts-expect-error the parameters are those of the function
    const wrong = (): unknown => wrapped.call({ prefix: '' }, 'one', 2);
    expect([result, doubled, inferred.id, typeof wrong]).toEqual(['1', 42, 1, 'function']);
  });
});

describe('the decorator', () => {
  class Service {
    static calls = 0;
    #secret = 'private';
    calls = 0;

    @retryWithBackoff(noWait)
    async method(value: number): Promise<number> {
      if (++this.calls < 2) throw new Error('once');
      return value + this.calls;
    }

    @retryWithBackoff(noWait)
    static async ofClass(): Promise<number> {
      if (++Service.calls < 3) throw new Error('twice');
      return Service.calls;
    }

    @retryWithBackoff(noWait)
    async #hidden(): Promise<string> {
      return this.#secret;
    }

    @retryWithBackoff(noWait)
    @retryWithBackoff({ ...noWait, maxAttempts: 2 })
    async stacked(): Promise<number> {
      this.calls++;
      throw new Error('always');
    }

    throughPrivate(): Promise<string> {
      return this.#hidden();
    }
  }

  it('T13: works on methods, static and private ones too', async () => {
    const service = new Service();
    await expect(service.method(40)).resolves.toBe(42);
    await expect(Service.ofClass()).resolves.toBe(3);
    await expect(service.throughPrivate()).resolves.toBe('private');
    expect([Service.prototype.method.name, Service.prototype.method.length]).toEqual(['method', 1]);
  });

  it('can be stacked: the inner one retries', async () => {
    const service = new Service();
    await expect(service.stacked()).rejects.toThrow('always');
    expect(service.calls).toBe(2);
  });

  it('names the operation after the method', async () => {
    const observer = recordCalls();
    class Named {
      @retryWithBackoff({ observer })
      async loadUser(): Promise<number> {
        return 1;
      }
    }
    await new Named().loadUser();
    expect(observer.calls[0]?.info.operation).toBe('loadUser');
  });

  it.each(['getter', 'setter', 'field', 'accessor', 'class'])('refuses a %s', kind => {
    const decorate = retryWithBackoff() as unknown as (value: unknown, context: object) => unknown;
    expect(() => decorate(() => 1, { kind, name: 'x' })).toThrow(TypeError);
  });
});

describe('the operation object', () => {
  it('ends with its block: what still runs is aborted and waited for', async () => {
    const clock = new FakeClock();
    let call: Promise<unknown> | undefined;
    {
      await using operation = new RetryableOperation({ clock, operation: 'data_processing' });
      await expect(operation.run(() => 5)).resolves.toBe(5);
      call = outcomeOf(operation.run(() => new Promise(() => undefined)));
    }
    expect(await call).toEqual({ error: expect.any(OperationClosedError) });
    expect(clock.pending).toBe(0);
  });

  it('refuses calls after its end', async () => {
    const operation = new RetryableOperation();
    await operation[Symbol.asyncDispose]();
    await expect(operation.run(() => 1)).rejects.toMatchObject({ code: 'ERR_RETRY_OPERATION_CLOSED' });
  });

  it('follows the signal of its options', async () => {
    const controller = new AbortController();
    const operation = new RetryableOperation({ signal: controller.signal });
    const call = outcomeOf(operation.run(() => new Promise(() => undefined)));
    controller.abort('enough');
    expect(await call).toEqual({ error: 'enough' });
    expect(await outcomeOf(new RetryableOperation({ signal: controller.signal }).run(() => 1))).toEqual({
      error: 'enough',
    });
  });
});

describe('the signal of an operation’s options', () => {
  it('is watched only while calls run, and counts before and after, too', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const operation = new RetryableOperation({ signal, ...noWait });
    const listeners = (): number => getEventListeners(signal, 'abort').length;
    expect(listeners()).toBe(0);
    const gate = Promise.withResolvers<number>();
    const calls = [operation.run(() => gate.promise), operation.run(() => 1), operation.run(flaky(1))];
    expect(listeners()).toBe(1);
    await Promise.all(calls.slice(1));
    expect(listeners()).toBe(1);
    gate.resolve(5);
    expect(await calls[0]).toBe(5);
    expect(listeners()).toBe(0);
    controller.abort('enough');
    const work = jest.fn();
    expect(await outcomeOf(operation.run(work))).toEqual({ error: 'enough' });
    expect(work).not.toHaveBeenCalled();
    expect(listeners()).toBe(0);
  });

  it('is left alone by a call that fails, or is aborted by the end of the operation', async () => {
    const { signal } = new AbortController();
    const operation = new RetryableOperation({ signal, ...noWait, maxAttempts: 1 });
    await outcomeOf(operation.run(flaky(1)));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    const call = outcomeOf(operation.run(() => new Promise(() => undefined)));
    await operation[Symbol.asyncDispose]();
    expect(await call).toEqual({ error: expect.any(OperationClosedError) });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('the iterator', () => {
  it('opens its call with the first turn, and not when it is made', async () => {
    const observer = recordCalls();
    const budget = { name: 'b', balance: () => 1, deposit: jest.fn(), tryWithdraw: () => 1 };
    const loops = [attempts({ observer, budget }), attempts({ observer, budget })];
    await loops[0]?.return?.();
    expect(await loops[0]?.next()).toEqual({ done: true, value: undefined });
    expect(observer.calls).toEqual([]);
    expect(budget.deposit).not.toHaveBeenCalled();
    expect(await loops[1]?.next()).toMatchObject({ done: false });
    expect(observer.calls).toHaveLength(1);
    expect(budget.deposit.mock.calls).toEqual([['call', 0]]);
    await loops[1]?.return?.();
    expect(observer.calls[0]?.end).toMatchObject({ reason: 'aborted', attempts: 0 });
  });

  it('counts its time from the first turn', async () => {
    const clock = new FakeClock();
    const loop = attempts({ clock, maxElapsed: 100 });
    await clock.advance(1000);
    expect(await loop.next()).toMatchObject({ done: false });
    await loop.return?.();
  });

  it('aborts an attempt that still runs when it is left, and leaves neither timer nor listener', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const onRetry = jest.fn();
    const retryOn = jest.fn(() => true);
    let signal: AbortSignal | undefined;
    let running: Promise<unknown> | undefined;
    const options = { clock, signal: controller.signal, attemptTimeout: 60_000, maxElapsed: 90_000, onRetry, retryOn };
    for await (const attempt of attempts(options)) {
      running = attempt.run(context => {
        signal = context.signal;
        return new Promise((_, reject) => context.signal.addEventListener('abort', () => reject(new Error('late'))));
      });
      expect([clock.pending, getEventListeners(controller.signal, 'abort').length]).toEqual([1, 1]);
      break;
    }
    expect(signal?.reason).toMatchObject({ name: 'AbortError' });
    expect([clock.pending, getEventListeners(controller.signal, 'abort').length]).toEqual([0, 0]);
    expect(await running).toEqual({ ok: false, error: signal?.reason });
    expect([retryOn.mock.calls.length, onRetry.mock.calls.length, clock.pending]).toEqual([0, 0, 0]);
  });

  it('does the same without any limit, and when the body does not await its attempt', async () => {
    let signal: AbortSignal | undefined;
    const loop = async (): Promise<void> => {
      for await (const attempt of attempts()) {
        void attempt.run(context => {
          signal = context.signal;
          return new Promise(() => undefined);
        });
      }
    };
    await expect(loop()).rejects.toThrow('must await attempt.run');
    expect(signal?.aborted).toBe(true);
  });

  it('tells of a loop that is left between two attempts by the error of the last one', async () => {
    for (const signal of [undefined, new AbortController().signal]) {
      const error = new Error('down');
      const observer = recordCalls();
      const options = signal === undefined ? { ...noWait, observer } : { ...noWait, observer, signal };
      for await (const attempt of attempts(options)) {
        await attempt.run(() => Promise.reject(error));
        break;
      }
      expect(observer.calls[0]?.end).toMatchObject({ reason: 'aborted', error });
      expect(retrySummary(error)).toMatchObject({ reason: 'aborted', attempts: 1 });
    }
  });

  it('ends once when it is left while it waits', async () => {
    const clock = new FakeClock();
    const onStop = jest.fn();
    const loop = attempts({ clock, onStop });
    const turn = await loop.next();
    await turn.value.run(() => Promise.reject(new Error('down')));
    const next = loop.next();
    expect(clock.pending).toBe(1);
    await loop.return?.();
    expect(clock.pending).toBe(0);
    expect(await next).toEqual({ done: true, value: undefined });
    expect(onStop).toHaveBeenCalledTimes(1);
    expect(await loop.next()).toEqual({ done: true, value: undefined });
  });

  it('ends once when it is left while it asks the limits for the first attempt', async () => {
    const clock = new FakeClock();
    const onStop = jest.fn();
    const adaptive = { name: 'a', admit: () => 1000, record: () => undefined };
    const loop = attempts({ clock, onStop, adaptive });
    const first = loop.next();
    expect(clock.pending).toBe(1);
    await loop.return?.();
    expect(await first).toEqual({ done: true, value: undefined });
    expect([clock.pending, onStop.mock.calls.length]).toEqual([0, 1]);
  });

  it.each(['break', 'return', 'throw'] as const)('ends the call on %s', async how => {
    const observer = recordCalls();
    const body = async (): Promise<void> => {
      for await (const attempt of attempts({ ...noWait, observer })) {
        await attempt.run(() => Promise.reject(new Error('down')));
        if (how === 'break') break;
        if (how === 'return') return;
        throw new Error('from the body');
      }
    };
    const result = await outcomeOf(body());
    expect(result).toEqual(how === 'throw' ? { error: new Error('from the body') } : { value: undefined });
    expect(observer.calls[0]?.attempts[0]?.end).toMatchObject({ outcome: 'failure', next: 'retry' });
    expect(observer.calls[0]?.end).toMatchObject({ outcome: 'failure', reason: 'aborted', attempts: 1 });
  });

  it('ends the attempt too when the body is left in the middle of it', async () => {
    const observer = recordCalls();
    for await (const attempt of attempts({ observer })) {
      void attempt.run(() => new Promise(() => undefined));
      break;
    }
    expect(observer.calls[0]?.attempts[0]?.end).toMatchObject({ outcome: 'failure', next: 'aborted' });
    expect(observer.calls[0]?.end).toMatchObject({ reason: 'aborted' });
  });

  it('shows each failure to the body and throws the last one', async () => {
    const seen: unknown[] = [];
    const loop = async (): Promise<void> => {
      for await (const attempt of attempts({ ...noWait, maxAttempts: 2 })) {
        const result = await attempt.run(() => Promise.reject(new Error(`failure ${attempt.number}`)));
        if (!result.ok) seen.push((result.error as Error).message);
      }
    };
    await expect(loop()).rejects.toThrow('failure 2');
    expect(seen).toEqual(['failure 1', 'failure 2']);
  });

  it('refuses a body that makes no attempt, or two in one turn', async () => {
    const idle = async (): Promise<void> => {
      for await (const attempt of attempts(noWait)) void attempt.number;
    };
    await expect(idle()).rejects.toThrow('must await attempt.run');
    for await (const attempt of attempts(noWait)) {
      await attempt.run(() => 1);
      await expect(attempt.run(() => 2)).rejects.toThrow('once in each turn');
    }
  });
});

describe('the synchronous form', () => {
  it('blocks while it waits', () => {
    const started = performance.now();
    expect(retrySync(flaky(1), { initialDelay: 30, jitter: false })).toBe('ok');
    expect(performance.now() - started).toBeGreaterThanOrEqual(29);
  });

  it('refuses a function that returns a promise, and an attemptTimeout', () => {
    expect(() => retrySync(() => Promise.resolve(1), { ...noWait, retryOn: () => true })).toThrow('use retry');
    expect(() => retrySync(() => 1, { attemptTimeout: 5 })).toThrow(
      'attemptTimeout is 5; it must be left out for retrySync',
    );
  });
});

describe('options', () => {
  it('are read once per object, but for the signal', async () => {
    const options: { maxAttempts: number; signal?: AbortSignal } = { maxAttempts: 1, ...noWait };
    await expect(retry(flaky(1), options)).rejects.toThrow('failure 1');
    options.maxAttempts = 5;
    await expect(retry(flaky(1), options)).rejects.toThrow('failure 1');
    options.signal = AbortSignal.abort('now');
    expect(await outcomeOf(retry(() => 1, options))).toEqual({ error: 'now' });
  });

  it('may be a policy, whose signal counts', async () => {
    const policy = new RetryPolicy({ ...noWait, maxAttempts: 2, signal: AbortSignal.abort('stop') });
    expect(await outcomeOf(retry(() => 1, policy))).toEqual({ error: 'stop' });
    expect(await outcomeOf(policy.execute(() => 1, { signal: new AbortController().signal }))).toEqual({ value: 1 });
    expect(Object.isFrozen(policy)).toBe(true);
  });

  it.each([
    ['retry', () => retry(5 as never)],
    ['withRetry', () => withRetry('x' as never)],
    ['execute', () => new RetryPolicy().execute(undefined as never)],
    ['run', () => new RetryableOperation().run({} as never)],
    ['retrySync', () => retrySync(null as never)],
  ])('%s refuses something that is no function', (form, call) => {
    expect(call).toThrow(TypeError);
    expect(call).toThrow(`${form}: the first argument`);
  });
});
