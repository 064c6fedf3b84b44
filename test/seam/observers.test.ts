import { addObserver, faultCounts, type RetryObserver, retry } from '../../src/core.ts';
import { composeObservers } from '../../src/engine/compose.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { FakeClock, recordCalls } from '../../src/testing/index.ts';
import { FORMS } from '../support/forms.ts';
import { settle } from '../support/settle.ts';

const thrower = (): never => {
  throw new Error('hostile observer');
};

/** What an observer may do wrong. None of it may change anything for the caller. */
const HOSTILE_OBSERVERS: readonly (readonly [string, RetryObserver])[] = [
  ['call throws', { call: thrower }],
  ['prepare throws', { call: () => undefined, prepare: thrower }],
  ['call returns rubbish', { call: () => 5 as never }],
  ['call returns null', { call: () => null as never }],
  ['call returns a promise', { call: () => Promise.resolve({}) as never }],
  ['attempt throws', { call: () => ({ attempt: thrower }) }],
  ['attempt returns rubbish', { call: () => ({ attempt: () => 'x' as never }) }],
  ['event throws', { call: () => ({ event: thrower }) }],
  ['end throws', { call: () => ({ end: thrower, attempt: () => ({ end: thrower }) }) }],
  ['run throws before the function', { call: () => ({ attempt: () => ({ run: thrower }) }) }],
  [
    'run throws after the function',
    {
      call: () => ({
        attempt: () => ({
          run: fn => {
            fn();
            return thrower();
          },
        }),
      }),
    },
  ],
  ['run does not call the function', { call: () => ({ attempt: () => ({ run: () => undefined as never }) }) }],
  [
    'run calls the function twice',
    {
      call: () => ({
        attempt: () => ({
          run: fn => {
            try {
              fn();
            } catch {}
            return fn();
          },
        }),
      }),
    },
  ],
  [
    'run calls the function later',
    {
      call: () => ({
        attempt: () => ({
          run: fn => {
            queueMicrotask(() => {
              try {
                fn();
              } catch {}
            });
            return undefined as never;
          },
        }),
      }),
    },
  ],
  [
    'run swallows what the function throws',
    {
      call: () => ({
        attempt: () => ({
          run: fn => {
            try {
              return fn();
            } catch {
              return 'fine' as never;
            }
          },
        }),
      }),
    },
  ],
  [
    'run returns something else',
    {
      call: () => ({
        attempt: () => ({
          run: fn => {
            fn();
            return 'else' as never;
          },
        }),
      }),
    },
  ],
  ['run is no function', { call: () => ({ attempt: () => ({ run: 5 as never }) }) }],
  [
    'everything is a trap',
    {
      call: () =>
        new Proxy(
          {},
          {
            get: thrower,
          },
        ),
    },
  ],
];

describe.each(HOSTILE_OBSERVERS)('an observer whose %s', (name, hostile) => {
  it.each(FORMS.map(form => [form.name, form] as const))('changes nothing for %s', async (_form, form) => {
    const clock = new FakeClock();
    const error = new Error('real');
    const calls: number[] = [];
    const work = (number: number): string => {
      calls.push(number);
      if (number < 3) throw error;
      return 'ok';
    };
    expect(await settle(clock, form.run(work, { clock, observer: hostile } as never))).toEqual({ value: 'ok' });
    expect(calls).toEqual([1, 2, 3]);
    const failing = (): never => {
      calls.push(0);
      throw error;
    };
    const result = await settle(clock, form.run(failing, { clock, observer: hostile }));
    expect('error' in result && result.error).toBe(error);
    expect(calls).toEqual([1, 2, 3, 0, 0, 0]);
    if (/throws|twice|does not/.test(name)) expect(faultCounts().get('observer')).toBeGreaterThan(0);
  });

  it('takes nothing from the observers beside it', async () => {
    const clock = new FakeClock();
    const recorder = recordCalls();
    const observer = composeObservers([hostile, recorder, hostile]) as RetryObserver;
    const call = retry(
      attempt => {
        if (attempt.number < 2) throw new Error('once');
        return 'ok';
      },
      { clock, observer },
    );
    expect(await settle(clock, call)).toEqual({ value: 'ok' });
    expect(recorder.calls).toHaveLength(1);
    expect(recorder.calls[0]?.attempts).toHaveLength(2);
    expect(recorder.calls[0]?.events).toHaveLength(1);
    expect(recorder.calls[0]?.end).toMatchObject({ outcome: 'success', attempts: 2 });
  });
});

describe('composed observers', () => {
  it('nest their contexts, the first one outermost, and end innermost first', async () => {
    const log: string[] = [];
    const observer = (name: string): RetryObserver => ({
      call: () => ({
        attempt: () => ({
          run: fn => {
            log.push(`${name}(`);
            const result = fn();
            log.push(`)${name}`);
            return result;
          },
          end: () => log.push(`${name} ended`),
        }),
        end: () => log.push(`${name} call ended`),
      }),
    });
    await retry(() => log.push('fn'), { observer: composeObservers([observer('a'), observer('b')]) as RetryObserver });
    expect(log).toEqual(['a(', 'b(', 'fn', ')b', ')a', 'b ended', 'a ended', 'b call ended', 'a call ended']);
  });

  it('cost nothing when none is interested', () => {
    const observer = composeObservers([{ call: () => undefined }, { call: () => undefined }]) as RetryObserver;
    expect(observer.call({ operation: 'x', maxAttempts: 1, attributes: {} })).toBeUndefined();
    expect(composeObservers([])).toBeUndefined();
  });

  it('pass a single interested one through as it is', () => {
    const scope = {};
    const observer = composeObservers([{ call: () => undefined }, { call: () => scope }]) as RetryObserver;
    expect(observer.call({ operation: 'x', maxAttempts: 1, attributes: {} })).toBe(scope);
  });
});

describe('addObserver', () => {
  it('watches policies without an observer of their own until it is taken away', async () => {
    const recorder = recordCalls();
    const other = recordCalls();
    const remove = addObserver(recorder);
    await retry(() => 1, { operation: 'watched' });
    await retry(() => 1, { observer: other });
    const removeLast = addObserver(recordCalls());
    remove();
    remove();
    expect(runtime.observers).toHaveLength(1);
    removeLast();
    await retry(() => 1, { operation: 'unwatched' });
    expect(recorder.calls.map(call => call.info.operation)).toEqual(['watched']);
    expect(other.calls).toHaveLength(1);
    expect(runtime.observer).toBeUndefined();
  });

  it('refuses what is no observer', () => {
    expect(() => addObserver({} as never)).toThrow(
      'observer is an object; it must be an object with a function "call"',
    );
    expect(() => addObserver(undefined as never)).toThrow(TypeError);
  });
});

describe('what observers are told', () => {
  it('is the same frozen object for all calls of a policy and operation, and prepared once', async () => {
    const infos = new Set();
    const prepared: string[] = [];
    const observer: RetryObserver = {
      call: info => {
        infos.add(info);
        return undefined;
      },
      prepare: info => {
        prepared.push(info.operation);
      },
    };
    const options = { observer };
    const load = (): number => 1;
    await retry(load, options);
    await retry(load, options);
    await retry(() => 2, options);
    expect([...infos]).toEqual([
      { operation: 'load', maxAttempts: 3, attributes: {} },
      { operation: 'anonymous', maxAttempts: 3, attributes: {} },
    ]);
    expect([...infos].every(Object.isFrozen)).toBe(true);
    expect(prepared).toEqual(['load', 'anonymous']);
  });
});
