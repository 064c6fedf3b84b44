import {
  type AttemptContext,
  attempts,
  RetryableOperation,
  type RetryOptions,
  RetryPolicy,
  retry,
  retrySync,
  retryWithBackoff,
  withRetry,
} from '../../src/core.ts';

/** What every form can run: a function that is told the number of its attempt, and its context where the form has one. */
export type Work<T> = (number: number, context: AttemptContext | undefined) => T | PromiseLike<T>;

/** One form of the API, made to look like all others. */
export interface Form {
  readonly name: string;
  /** Whether the function is told of its attempt. */
  readonly hasContext: boolean;
  /** Whether waits and asynchronous work are possible. */
  readonly kind: 'async' | 'sync';
  run<T>(work: Work<T>, options: RetryOptions<T>): Promise<T>;
}

/** Every form of the API. A scenario that runs over them is a property of the library, not of one function. */
export const FORMS: readonly Form[] = [
  {
    name: 'retry',
    hasContext: true,
    kind: 'async',
    run: (work, options) => retry(attempt => work(attempt.number, attempt), options),
  },
  {
    name: 'withRetry',
    hasContext: false,
    kind: 'async',
    run: <T>(work: Work<T>, options: RetryOptions<T>) =>
      withRetry(counted(work), options as RetryOptions<Awaited<T>>)() as Promise<T>,
  },
  {
    name: 'decorated method',
    hasContext: false,
    kind: 'async',
    run: <T>(work: Work<T>, options: RetryOptions<T>) => {
      const next = counted(work);
      class Service {
        @retryWithBackoff(options as RetryOptions)
        async call(): Promise<T> {
          return await next();
        }
      }
      return new Service().call();
    },
  },
  {
    name: 'decorator on a function',
    hasContext: false,
    kind: 'async',
    run: <T>(work: Work<T>, options: RetryOptions<T>) =>
      retryWithBackoff(options as RetryOptions)(counted(work))() as Promise<T>,
  },
  {
    name: 'RetryPolicy',
    hasContext: true,
    kind: 'async',
    run: (work, options) => new RetryPolicy(options).execute(attempt => work(attempt.number, attempt)),
  },
  {
    name: 'RetryPolicy.wrap',
    hasContext: false,
    kind: 'async',
    run: <T>(work: Work<T>, options: RetryOptions<T>) =>
      new RetryPolicy<T>(options).wrap(counted(work))() as Promise<T>,
  },
  {
    name: 'RetryableOperation',
    hasContext: true,
    kind: 'async',
    run: (work, options) => new RetryableOperation(options).run(attempt => work(attempt.number, attempt)),
  },
  {
    name: 'attempts',
    hasContext: true,
    kind: 'async',
    run: async <T>(work: Work<T>, options: RetryOptions<T>) => {
      let last: T | undefined;
      for await (const attempt of attempts(options as RetryOptions<never>)) {
        const result = await attempt.run(context => work(context.number, context));
        if (result.ok) return result.value;
        last = undefined;
      }
      return last as T;
    },
  },
  {
    name: 'retrySync',
    hasContext: true,
    kind: 'sync',
    run: async (work, options) =>
      retrySync(attempt => work(attempt.number, attempt) as never, options as RetryOptions<never>),
  },
];

function counted<T>(work: Work<T>): () => T | PromiseLike<T> {
  let number = 0;
  return () => work(++number, undefined);
}
