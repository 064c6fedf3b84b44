import { faultCounts, type RetryObserver, retry } from '../../src/core.ts';
import { composeObservers } from '../../src/engine/compose.ts';
import { openAttempt, openCall, runInside, tellEnd, tellEvent, tellPolicy } from '../../src/engine/guard.ts';
import { callHook } from '../../src/engine/hook.ts';
import { createPolicy } from '../../src/engine/policy.ts';
import { FakeClock, recordCalls } from '../../src/testing/index.ts';
import { settle } from '../support/settle.ts';

const info = { operation: 'x', maxAttempts: 3, attributes: {} };
const attemptInfo = { number: 1, delayMs: 0, delaySource: 'none' } as const;
const faults = (source = 'observer'): number => faultCounts().get(source) ?? 0;
const thrower = (): never => {
  throw new Error('fault');
};

/** How many faults `work` causes. */
function faultsOf(work: () => void, source?: string): number {
  const before = faults(source);
  work();
  return faults(source) - before;
}

describe('openCall and openAttempt', () => {
  it.each<[unknown, boolean]>([
    [{}, true],
    [undefined, false],
    [null, false],
    ['scope', false],
    [5, false],
    [() => 1, false],
  ])('take %p as interest: %s', (scope, isScope) => {
    expect(openCall({ call: () => scope as never }, info)).toBe(isScope ? scope : undefined);
    expect(openAttempt({ attempt: () => scope as never }, attemptInfo)).toBe(isScope ? scope : undefined);
  });

  it('cost nothing where there is nothing to ask', () => {
    expect(faultsOf(() => expect(openAttempt({}, attemptInfo)).toBeUndefined())).toBe(0);
  });

  it('count what is thrown', () => {
    expect(faultsOf(() => expect(openCall({ call: thrower }, info)).toBeUndefined())).toBe(1);
    expect(faultsOf(() => expect(openAttempt({ attempt: thrower }, attemptInfo)).toBeUndefined())).toBe(1);
  });
});

describe('runInside', () => {
  it('runs the function without a scope, or without a run', () => {
    expect(faultsOf(() => expect(runInside(undefined, () => 1)).toBe(1))).toBe(0);
    expect(faultsOf(() => expect(runInside({}, () => 2)).toBe(2))).toBe(0);
  });

  it('passes on what the function throws, and counts no fault for it', () => {
    const error = new Error('the function’s own');
    expect(
      faultsOf(() => {
        expect(() =>
          runInside({ run: fn => fn() }, () => {
            throw error;
          }),
        ).toThrow(error);
      }),
    ).toBe(0);
  });

  it('knows NaN again when the function throws it', () => {
    const throwNaN = (): never => {
      throw Number.NaN;
    };
    expect(faultsOf(() => expect(() => runInside({ run: fn => fn() }, throwNaN)).toThrow())).toBe(0);
  });

  it.each<[string, { run<R>(fn: () => R): R }, number]>([
    ['throws first', { run: thrower }, 2],
    [
      'throws afterwards',
      {
        run: fn => {
          fn();
          return thrower();
        },
      },
      1,
    ],
    ['does nothing', { run: () => undefined as never }, 1],
    [
      'calls twice',
      {
        run: fn => {
          fn();
          return fn();
        },
      },
      1,
    ],
  ])('gives the value and counts the faults of a run that %s', (_name, scope, expected) => {
    const fn = jest.fn(() => 'value');
    expect(faultsOf(() => expect(runInside(scope, fn)).toBe('value'))).toBe(expected);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  it('counts a run that replaces the error', () => {
    const own = new Error('own');
    const scope = {
      run: <R>(fn: () => R): R => {
        try {
          return fn();
        } catch {
          return thrower();
        }
      },
    };
    const failing = (): never => {
      throw own;
    };
    expect(faultsOf(() => expect(() => runInside(scope, failing)).toThrow(own))).toBe(1);
  });

  it('survives a run that cannot be read', () => {
    const scope = Object.defineProperty({}, 'run', { get: thrower });
    expect(faultsOf(() => expect(runInside(scope, () => 3)).toBe(3))).toBe(1);
  });
});

describe('tellEnd, tellEvent and tellPolicy', () => {
  it('tell what there is to tell, and count what is thrown', () => {
    const told: unknown[] = [];
    tellEnd({ end: end => told.push(end) }, 'end');
    tellEvent({ event: event => told.push(event) }, 'event' as never);
    tellPolicy({ call: () => undefined, prepare: policy => told.push(policy) }, info);
    expect(told).toEqual(['end', 'event', info]);
    expect(faultsOf(() => tellEnd({ end: thrower }, 1))).toBe(1);
    expect(faultsOf(() => tellEvent({ event: thrower }, 1 as never))).toBe(1);
    expect(faultsOf(() => tellPolicy({ call: () => undefined, prepare: thrower }, info))).toBe(1);
  });

  it('are silent where nobody listens', () => {
    expect(
      faultsOf(() => {
        tellEnd(undefined, 1);
        tellEnd({}, 1);
        tellEvent(undefined, 1 as never);
        tellEvent({}, 1 as never);
        tellPolicy({ call: () => undefined }, info);
      }),
    ).toBe(0);
  });
});

describe('callHook', () => {
  it.each([undefined, null, 5, 'x', {}])('has no quarrel with a hook that returns %p', async value => {
    const before = faults('hook');
    callHook(() => value, 1);
    await new Promise(resolve => setImmediate(resolve));
    expect(faults('hook')).toBe(before);
  });

  it('counts a hook that throws, and one that rejects', async () => {
    const before = faults('hook');
    callHook(thrower, 1);
    callHook(async () => thrower(), 1);
    await new Promise(resolve => setImmediate(resolve));
    expect(faults('hook')).toBe(before + 2);
  });
});

describe('composed observers', () => {
  it('are all told of a policy, each scope of everything', async () => {
    const prepared: string[] = [];
    const recorders = [recordCalls(), recordCalls(), recordCalls()];
    const members: RetryObserver[] = recorders.map((recorder, i) => ({
      ...recorder,
      prepare: ({ operation }) => prepared.push(`${operation} ${i}`),
    }));
    const observer = composeObservers([
      members[0],
      { call: () => undefined },
      members[1],
      members[2],
    ] as RetryObserver[]);
    const clock = new FakeClock();
    const work = ({ number }: { number: number }): number => (number < 2 ? thrower() : number);
    await settle(clock, retry(work, { clock, operation: 'all', observer: observer as RetryObserver }));
    expect(prepared).toEqual(['all 0', 'all 1', 'all 2']);
    for (const { calls } of recorders) {
      expect(calls).toHaveLength(1);
      expect(calls[0]?.attempts).toHaveLength(2);
      expect(calls[0]?.events).toHaveLength(1);
      expect(calls[0]?.end?.outcome).toBe('success');
    }
  });

  it('cause no fault of their own', async () => {
    const observer = composeObservers([
      { call: () => ({}) },
      { call: () => ({ attempt: () => ({}) }) },
    ]) as RetryObserver;
    const before = faults();
    await retry(() => 1, { observer });
    createPolicy({ operation: 'x', observer });
    expect(faults()).toBe(before);
  });

  it('leave an attempt that a single member watches to that member', () => {
    const scope = {};
    const observer = composeObservers([
      { call: () => ({}) },
      { call: () => ({ attempt: () => scope }) },
    ]) as RetryObserver;
    expect(observer.call(info)?.attempt?.(attemptInfo)).toBe(scope);
  });
});
