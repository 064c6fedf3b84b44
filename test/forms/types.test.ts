import { type RetryOptions, RetryPolicy, retry, retrySync, retryWithBackoff, withRetry } from '../../src/core.ts';

// What the compiler infers: each line that assigns would not compile if a type were lost on the way.

interface User {
  readonly name: string;
}
const ada: User = { name: 'Ada' };
const fetchUser = async (_id: string): Promise<User> => ada;
const isNobody = (user: User): boolean => user.name === '';

describe('the type of the result', () => {
  const shared: RetryOptions = { maxAttempts: 2 };
  const policy = new RetryPolicy({ maxAttempts: 2 });
  const choosy = new RetryPolicy({ retryOnResult: isNobody });

  it('is that of the function, whatever the options are shared with', async () => {
    const users: User[] = [
      await retry(() => fetchUser('1'), shared),
      await retry(() => fetchUser('1'), { ...shared, attemptTimeout: 500 }),
      await retry(() => fetchUser('1'), policy),
      await retry(() => fetchUser('1'), choosy),
      await withRetry(fetchUser, shared)('1'),
      await withRetry(fetchUser, policy)('1'),
      await withRetry(fetchUser, choosy)('1'),
      await retry(({ number }) => fetchUser(String(number)), { retryOnResult: user => user.name === '' }),
      retrySync(() => ada, shared),
      retrySync(() => ada, policy),
    ];
    expect(users).toEqual(users.map(() => ada));
  });

  it('has that of the fallback beside it', async () => {
    const options = { initialDelay: 0, fallback: null, retryOnResult: isNobody };
    const [one, other]: (User | null)[] = [
      await retry(() => fetchUser('1'), options),
      await retryWithBackoff({ fallback: null })(fetchUser)('1'),
    ];
    // @ts-expect-error it may be null
    const user: User = await retryWithBackoff({ fallback: null })(fetchUser)('1');
    expect([one, other, user]).toEqual([ada, ada, ada]);
  });

  it('stays generic', async () => {
    const same = async <T>(value: T): Promise<T> => value;
    const text: string = await withRetry(same, shared)('x');

    class Lists {
      @retryWithBackoff(shared)
      async copy<T>(values: readonly T[]): Promise<T[]> {
        return [...values];
      }
    }
    const numbers: number[] = await new Lists().copy([1, 2]);
    expect([text, numbers]).toEqual(['x', [1, 2]]);
  });
});
