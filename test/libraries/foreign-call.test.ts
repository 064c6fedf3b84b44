import { callInfo } from '../../instrumentation/libraries/call-info.ts';
import { ForeignCall } from '../../instrumentation/libraries/foreign-call.ts';
import { type OwnRetries, withOwnRetries } from '../../instrumentation/libraries/own-retries.ts';
import { addObserver } from '../../src/engine/default-observer.ts';
import { faultCounts } from '../../src/engine/faults.ts';
import type { AttemptEnd, CallEnd, RetryObserver } from '../../src/engine/observer.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { systemClock } from '../../src/engine/system-clock.ts';

/** What an observer was told, in order. */
type Told = readonly [what: string, facts?: unknown];

let remove: () => void = () => undefined;
let now = 0;

beforeEach(() => {
  now = 1000;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});
afterEach(() => {
  remove();
  jest.restoreAllMocks();
});

function observe(observer: RetryObserver): void {
  remove = addObserver(observer);
}

function recorder(): { readonly told: Told[]; readonly observer: RetryObserver } {
  const told: Told[] = [];
  return {
    told,
    observer: {
      call: info => {
        told.push(['call', info.operation]);
        return {
          attempt: ({ number, delayMs, delaySource }) => {
            told.push(['attempt', [number, delayMs, delaySource]]);
            return { end: (end: AttemptEnd) => void told.push(['attempt ended', end]) };
          },
          event: event => void told.push([event.type, [event.attempt, event.nextAttempt, event.delayMs]]),
          end: (end: CallEnd) => void told.push(['call ended', end]),
        };
      },
    },
  };
}

const call = (maxAttempts = 3): ForeignCall => new ForeignCall(callInfo('work', maxAttempts));
const why = Object.assign(new Error('reset'), { code: 'ECONNRESET' });

describe('a call of another library', () => {
  it('is told like one of ours where the library tells of its delay', async () => {
    const { told, observer } = recorder();
    observe(observer);
    const foreign = call();
    await expect(foreign.attempt(() => Promise.reject(why))).rejects.toBe(why);
    now += 5;
    foreign.retrying(100);
    now += 100;
    await expect(foreign.attempt(async () => 'value')).resolves.toBe('value');
    foreign.succeed();
    expect(told).toEqual([
      ['call', 'work'],
      ['attempt', [1, 0, 'none']],
      [
        'attempt ended',
        {
          outcome: 'failure',
          durationMs: 0,
          error: why,
          errorClass: 'transient',
          next: 'retry',
          nextDelayMs: 100,
          endedAgoMs: 5,
        },
      ],
      ['retry_scheduled', [1, 2, 100]],
      ['attempt', [2, 100, 'backoff']],
      ['attempt ended', { outcome: 'success', durationMs: 0 }],
      ['call ended', { outcome: 'success', attempts: 2, durationMs: 105, totalDelayMs: 100 }],
    ]);
  });

  it('has its delay measured where the library does not tell, and the time of the failed attempt is its own', () => {
    const { told, observer } = recorder();
    observe(observer);
    const foreign = call();
    expect(() =>
      foreign.attempt(() => {
        now += 7;
        throw why;
      }),
    ).toThrow(why);
    now += 250;
    foreign.attempt(() => 'value');
    expect(told.slice(2)).toEqual([
      ['attempt ended', expect.objectContaining({ durationMs: 7, next: 'retry', nextDelayMs: 250, endedAgoMs: 250 })],
      ['retry_scheduled', [1, 2, 250]],
      ['attempt', [2, 250, 'backoff']],
      ['attempt ended', { outcome: 'success', durationMs: 0 }],
    ]);
  });

  it('ends once, whatever it is told afterwards', async () => {
    const { told, observer } = recorder();
    observe(observer);
    const foreign = call();
    const late = foreign.attempt(() => new Promise(resolve => setTimeout(resolve, 5, 'late')));
    foreign.giveUp('aborted', why);
    const before = [...told];
    foreign.giveUp('not_retryable', why);
    foreign.succeed();
    foreign.failed(why);
    foreign.retrying(5);
    expect(await late).toBe('late');
    expect(foreign.attempt(() => 'unseen')).toBe('unseen');
    expect(told).toEqual(before);
    expect(told.at(-1)).toEqual([
      'call ended',
      { outcome: 'failure', attempts: 1, durationMs: 0, totalDelayMs: 0, reason: 'aborted', error: why },
    ]);
  });

  it('takes what settles late for an attempt that is over already', async () => {
    const { told, observer } = recorder();
    observe(observer);
    const foreign = call();
    const first = foreign.attempt(() => new Promise((_, reject) => setTimeout(reject, 5, why)));
    const second = foreign.attempt(async () => 'value');
    await expect(first).rejects.toBe(why);
    expect(await second).toBe('value');
    const ends = told.filter(([what]) => what === 'attempt ended').map(([, end]) => (end as AttemptEnd).outcome);
    expect(ends).toEqual(['failure', 'success']);
  });

  it('has given up where its value came after a failure of the last attempt', () => {
    const { told, observer } = recorder();
    observe(observer);
    const foreign = call(1);
    foreign.begin();
    foreign.failed(why);
    foreign.succeed();
    expect(told.at(-1)).toEqual(['call ended', expect.objectContaining({ reason: 'attempts_exhausted', error: why })]);
  });

  it('has succeeded where what looked like a failure was accepted', () => {
    const { told, observer } = recorder();
    observe(observer);
    const foreign = call(2);
    foreign.begin();
    foreign.failed(why);
    foreign.accept();
    expect(told.at(-1)).toEqual(['call ended', expect.objectContaining({ outcome: 'success', attempts: 1 })]);
  });

  it('is not told at all where it made no attempt', () => {
    const { told, observer } = recorder();
    observe(observer);
    call().giveUp('not_retryable', why);
    call().succeed();
    expect(told).toEqual([]);
  });

  it('does no work twice that starts when somebody waits for it', async () => {
    observe(recorder().observer);
    let started = 0;
    const query = {
      then: (resolve: (rows: string) => void) => {
        started++;
        resolve('rows');
      },
    };
    expect(await call().attempt(() => query)).toBe('rows');
    expect(started).toBe(1);
  });

  it.each([
    ['throws for a call', { call: () => fail() }],
    ['throws for an attempt', { call: () => ({ attempt: () => fail() }) }],
    [
      'throws at every end',
      { call: () => ({ attempt: () => ({ end: () => fail() }), event: () => fail(), end: () => fail() }) },
    ],
    ['does not run the work', { call: () => ({ attempt: () => ({ run: () => undefined as never }) }) }],
    ['runs the work twice', { call: () => ({ attempt: () => ({ run: <R>(fn: () => R) => [fn(), fn()][1] as R }) }) }],
  ] as [string, RetryObserver][])('is not disturbed by an observer that %s', async (_what, observer) => {
    observe(observer);
    const foreign = call();
    const work = jest.fn(async () => 'value');
    await expect(foreign.attempt(() => Promise.reject(why))).rejects.toBe(why);
    foreign.retrying(1);
    expect(await foreign.attempt(work)).toBe('value');
    foreign.succeed();
    expect(work).toHaveBeenCalledTimes(1);
    expect(faultCounts().get('observer')).toBeGreaterThan(0);
  });

  it('tells whoever keeps account of it of the second attempt, and nobody else', () => {
    const [around, inside, beside] = [0, 1, 2].map((): OwnRetries => ({ areMade: false })) as [
      OwnRetries,
      OwnRetries,
      OwnRetries,
    ];
    const foreign = withOwnRetries(around, () => {
      const made = call();
      made.begin();
      return made;
    });
    withOwnRetries(inside, () => call().attempt(() => 'value'));
    expect([around, inside]).toEqual([{ areMade: false }, { areMade: false }]);
    withOwnRetries(beside, () => foreign.begin());
    expect([around, inside, beside]).toEqual([{ areMade: true }, { areMade: false }, { areMade: false }]);
  });

  it('costs nothing but a look where nobody watches', () => {
    expect(runtime.observer).toBeUndefined();
    expect(call().attempt(() => 'value')).toBe('value');
    expect(systemClock.now()).toBe(1000);
  });
});

function fail(): never {
  throw new Error('observer');
}
