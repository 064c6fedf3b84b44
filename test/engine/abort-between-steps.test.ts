import { getEventListeners } from 'node:events';
import {
  attempts,
  type ConcurrencyLimit,
  type RetryObserver,
  type RetryOptions,
  retrySummary,
} from '../../src/core.ts';
import { withLimits } from '../../src/engine/limit.ts';
import { FakeClock, recordCalls } from '../../src/testing/index.ts';
import { FORMS } from '../support/forms.ts';
import { outcomeOf, settle } from '../support/settle.ts';

// An aborted signal tells nobody of it any more, so whatever begins after the abort has to look.

let clock: FakeClock;
let controller: AbortController;
let base: RetryOptions<never>;
const reason = new Error('enough');
const hang = (): Promise<never> => new Promise(() => undefined);
const abort = (): void => controller.abort(reason);
beforeEach(() => {
  clock = new FakeClock();
  controller = new AbortController();
  base = { clock, jitter: false, initialDelay: 100, operation: 'op', signal: controller.signal };
});
afterEach(() => {
  expect(clock.pending).toBe(0);
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
});

/** An observer that aborts the call when the method of that name is called. */
function abortingIn(method: 'call' | 'attempt' | 'run'): RetryObserver {
  const at = (name: string): void => {
    if (name === method) abort();
  };
  return {
    call: () => {
      at('call');
      return {
        attempt: () => {
          at('attempt');
          return {
            run: fn => {
              at('run');
              return fn();
            },
          };
        },
      };
    },
  };
}

describe.each(FORMS.map(form => [form.name, form] as const))('%s ends at once, and calls nothing', (_name, form) => {
  it.each(['call', 'attempt', 'run'] as const)('after an abort in the observer’s %s', async method => {
    const work = jest.fn(hang);
    const result = await settle(clock, form.run(work, { ...base, observer: abortingIn(method) }));
    expect(result).toEqual({ error: reason });
    expect(work).not.toHaveBeenCalled();
    expect(retrySummary(reason)).toMatchObject({ reason: 'aborted', attempts: method === 'call' ? 0 : 1 });
  });
});

describe.each(FORMS.filter(({ kind }) => kind === 'async').map(form => [form.name, form] as const))(
  '%s ends at once after an abort',
  (_name, form) => {
    it('between the answer of the limits and the attempt', async () => {
      const left = jest.fn();
      const breaker = {
        name: 'b',
        whenOpen: 'stop' as const,
        tryEnter: () => {
          queueMicrotask(abort);
          return 1;
        },
        leave: left,
        openForMs: () => 0,
      };
      const observer = recordCalls();
      const work = jest.fn(hang);
      expect(await settle(clock, form.run(work, { ...base, breaker, observer }))).toEqual({ error: reason });
      expect(work).not.toHaveBeenCalled();
      expect(left.mock.calls).toEqual([[1, 'ignored']]);
      expect(observer.calls[0]?.attempts).toEqual([]);
      expect(observer.calls[0]?.end).toMatchObject({ reason: 'aborted', attempts: 0, error: reason });
    });

    it('between the slot of the bulkhead and the function', async () => {
      const bulkhead: ConcurrencyLimit = {
        run: async fn => {
          await Promise.resolve();
          abort();
          return fn();
        },
      };
      const work = jest.fn(hang);
      expect(await settle(clock, form.run(work, { ...base, bulkhead }))).toEqual({ error: reason });
      expect(work).not.toHaveBeenCalled();
    });

    it('in a classifier whose promise does not settle', async () => {
      const retryOn = async (): Promise<boolean> => {
        abort();
        return hang();
      };
      expect(
        await settle(
          clock,
          form.run(() => Promise.reject(new Error('down')), { ...base, retryOn }),
        ),
      ).toEqual({
        error: reason,
      });
    });

    it('between a rejection and a slow classifier', async () => {
      const work = (): Promise<never> => {
        queueMicrotask(() => queueMicrotask(abort));
        return Promise.reject(new Error('down'));
      };
      expect(await settle(clock, form.run(work, { ...base, retryOn: hang }))).toEqual({ error: reason });
    });

    it('between a result and a slow retryOnResult', async () => {
      const options = { ...base, retryOnResult: hang } as RetryOptions<number>;
      for (const work of [queuedAbort, abortingResult]) {
        controller = new AbortController();
        const call = form.run(work, { ...options, signal: controller.signal });
        expect(await settle(clock, call)).toEqual({ error: reason });
      }
    });

    it('while a budget is asked that takes its time', async () => {
      const tryWithdraw = (): Promise<never> => {
        abort();
        return hang();
      };
      const budget = { name: 'b', balance: () => 1, deposit: () => undefined, tryWithdraw };
      const onRetry = jest.fn();
      const work = (): Promise<never> => Promise.reject(new Error('down'));
      expect(await settle(clock, form.run(work, { ...base, budget, onRetry }))).toEqual({ error: reason });
      expect(onRetry).not.toHaveBeenCalled();
    });
  },
);

async function queuedAbort(): Promise<number> {
  queueMicrotask(() => queueMicrotask(abort));
  return 1;
}

async function abortingResult(): Promise<number> {
  abort();
  return 1;
}

describe('the iterator', () => {
  it('makes no attempt when the body has aborted the call before', async () => {
    const observer = recordCalls();
    const work = jest.fn(hang);
    const results: unknown[] = [];
    const loop = async (): Promise<void> => {
      for await (const attempt of attempts({ ...base, observer })) {
        abort();
        results.push(await attempt.run(work));
      }
    };
    expect(await settle(clock, loop())).toEqual({ error: reason });
    expect(results).toEqual([{ ok: false, error: reason }]);
    expect(work).not.toHaveBeenCalled();
    expect(observer.calls[0]?.attempts).toEqual([]);
    expect(observer.calls[0]?.end).toMatchObject({ reason: 'aborted', attempts: 0, error: reason });
  });

  it('makes no further attempt either, and ends in its next turn', async () => {
    const loop = async (): Promise<void> => {
      for await (const attempt of attempts(base)) {
        if (attempt.number === 2) abort();
        const result = await attempt.run(() => Promise.reject(new Error(`failure ${attempt.number}`)));
        expect(result).toEqual({ ok: false, error: attempt.number === 1 ? new Error('failure 1') : reason });
      }
    };
    expect(await settle(clock, loop())).toEqual({ error: reason });
    expect(retrySummary(reason)).toMatchObject({ reason: 'aborted', attempts: 1 });
  });

  it('makes no attempt when the body has taken all the time there was', async () => {
    const work = jest.fn(hang);
    const results: unknown[] = [];
    const loop = async (): Promise<void> => {
      for await (const attempt of attempts({ ...base, maxElapsed: 500 })) {
        await clock.sleep(600, undefined, 'ref');
        results.push(await attempt.run(work));
      }
    };
    const result = await settle(clock, loop());
    expect(result).toMatchObject({ error: { code: 'ERR_RETRY_DEADLINE_EXCEEDED' } });
    expect(results).toEqual([{ ok: false, error: 'error' in result && result.error }]);
    expect(work).not.toHaveBeenCalled();
  });
});

describe('withLimits', () => {
  it('does not begin work whose signal has aborted, and tells as much as of any other cut', async () => {
    abort();
    const told: unknown[] = [];
    const work = jest.fn(hang);
    const limits = {
      signal: controller.signal,
      clock,
      hold: 'ref' as const,
      timeoutMs: 50,
      onCut: (by: string) => {
        told.push(by);
        return reason;
      },
      afterCut: (cause: unknown) => void told.push(cause),
      onLate: (result: string) => void told.push(result),
      onStart: () => void told.push('start'),
    };
    expect(await outcomeOf(withLimits(limits, work))).toEqual({ error: reason });
    expect(told).toEqual(['abort', reason]);
    expect(work).not.toHaveBeenCalled();
  });
});
