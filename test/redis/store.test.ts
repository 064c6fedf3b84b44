import { FakeClock } from 'retryscope/testing';
import { readAnswer } from '../../src/limits/redis/budget-script.ts';
import { BudgetStore } from '../../src/limits/redis/budget-store.ts';
import { checkKeyPrefix } from '../../src/limits/redis/key-prefix.ts';

it('takes a short text as the beginning of a key', () => {
  expect(() => checkKeyPrefix('keyPrefix', '')).not.toThrow();
  expect(() => checkKeyPrefix('keyPrefix', 'x'.repeat(200))).not.toThrow();
  expect(() => checkKeyPrefix('keyPrefix', 'x'.repeat(201))).toThrow(RangeError);
  expect(() => checkKeyPrefix('keyPrefix', 5)).toThrow('keyPrefix is 5; it must be a string of at most 200 characters');
});

describe('an answer of the script', () => {
  it.each([
    ['nothing', undefined],
    ['an object', {}],
    ['an empty list', []],
    ['texts around digits', ['x0', '5']],
    ['texts behind digits', ['0', '5x']],
    ['booleans', [false, true]],
    ['objects in a list', [{}, {}]],
    ['a fraction', [0, 1.5]],
  ])('that is %s is refused', (_what, answer) => {
    expect(() => readAnswer(answer)).toThrow('The reply of Redis is not that of the budget script');
  });

  it.each([[[0, 7]], [['0', '7']], [[0n, 7n]]])('that is late tells the time: %p', answer => {
    expect(readAnswer(answer)).toEqual({ kind: 'late', redisNow: 7 });
  });
});

describe('the store', () => {
  const terms = { capacityUnits: 100, unitsPerMs: 1, needUnits: 1, instances: 2 };
  const request = { deposit: 0, want: 5, taken: 0 };

  it('gives up when Redis calls a request late twice', async () => {
    const clock = new FakeClock();
    const sent: string[][] = [];
    const answer = async (_sha: string, _keys: string[], args: string[]): Promise<unknown> => {
      sent.push([...args]);
      return [0, 500_000];
    };
    const store = new BudgetStore({ eval: answer, evalsha: answer } as never, 'k', terms as never, clock);
    expect(store.knowsTime).toBe(false);
    await expect(store.ask(request as never, 50)).rejects.toThrow('Redis refused the request as late twice');
    expect(store.knowsTime).toBe(true);
    expect(sent).toHaveLength(2);
    // At first no time is known, then Redis' own: 50 ms from now, and the rounding.
    expect(sent.map(args => args.some(arg => Number(arg) === 500_051))).toEqual([false, true]);
  });

  it('sends what it was told last with the next request, also when that was told at the second try', async () => {
    const clock = new FakeClock();
    const sent: string[][] = [];
    const answers: unknown[][] = [
      [0, 500_000],
      [1, 500_000, 7, 3, 1, 42, 13],
      [1, 500_000, 7, 3, 1, 42, 13],
    ];
    const answer = async (_sha: string, _keys: string[], args: string[]): Promise<unknown> => {
      sent.push([...args]);
      return answers.shift();
    };
    const store = new BudgetStore({ eval: answer, evalsha: answer } as never, 'k', terms as never, clock);
    const first = await store.ask(request as never, 50);
    expect(first).toMatchObject({ kind: 'done' });
    await store.ask(request as never, 50);
    const { birth, granted } = first.memory;
    expect(sent).toHaveLength(3);
    expect(sent[2]).toEqual(expect.arrayContaining([String(birth), String(granted)]));
    expect(sent[0]).not.toEqual(expect.arrayContaining([String(birth)]));
  });
});
