import { trace } from '@opentelemetry/api';
import { flaky, type Note, type Subject } from '../support/scenario.ts';

interface Policy {
  execute(fn: unknown, signal?: AbortSignal): Promise<unknown>;
  onRetry(listener: (event: { delay: number; attempt: number; error?: Error; value?: unknown }) => void): unknown;
  onGiveUp(listener: (event: { error?: Error; value?: unknown }) => void): unknown;
  onSuccess(listener: (event: unknown) => void): unknown;
  onFailure(listener: (event: { handled: boolean }) => void): unknown;
  dangerouslyUnref(): Policy;
}

interface Cockatiel {
  retry(filter: unknown, options: Record<string, unknown>): Policy;
  wrap(...policies: unknown[]): Policy;
  circuitBreaker(filter: unknown, options: Record<string, unknown>): unknown;
  handleAll: unknown;
  handleWhen(predicate: (error: Error) => boolean): unknown;
  handleWhenResult(predicate: (value: unknown) => boolean): unknown;
  ConstantBackoff: new (ms: number) => unknown;
  ConsecutiveBreaker: new (count: number) => unknown;
  RetryPolicy: { prototype: { execute: unknown } };
}

const options = (library: Cockatiel, maxAttempts = 2) => ({ maxAttempts, backoff: new library.ConstantBackoff(4) });

function listened(policy: Policy, note: Note): Policy {
  policy.onRetry(({ delay, attempt, error, value }) => note('onRetry', delay, attempt, error?.message, value));
  policy.onGiveUp(({ error, value }) => note('onGiveUp', error?.message, value));
  policy.onSuccess(() => note('onSuccess'));
  policy.onFailure(({ handled }) => note('onFailure', handled));
  return policy;
}

export const subject: Subject<Cockatiel> = {
  load: async ({ load }) => (await load('cockatiel')) as Cockatiel,
  scenarios: {
    shape: ({ RetryPolicy, retry, handleAll }, note) => {
      const policy = retry(handleAll, {});
      note(
        'execute',
        RetryPolicy.prototype.execute,
        Object.keys(policy),
        policy.execute === RetryPolicy.prototype.execute,
      );
    },
    'succeeds at once': (library, note) =>
      listened(library.retry(library.handleAll, options(library)), note).execute(flaky(0, note)),
    'succeeds after retries': (library, note) => {
      const work = flaky(2, note);
      return listened(library.retry(library.handleAll, options(library)), note).execute(async function fetchUser({
        attempt,
      }: {
        attempt: number;
      }) {
        const span = trace.getTracer('user').startSpan(`request ${attempt}`);
        try {
          return await work(attempt);
        } finally {
          span.end();
        }
      });
    },
    'exhausts its attempts': async (library, note) => {
      const last = new Error('always');
      const policy = listened(library.retry(library.handleAll, options(library)), note);
      note('same error', (await policy.execute(() => Promise.reject(last)).catch(error => error)) === last);
    },
    'does not handle an error': (library, note) =>
      listened(
        library.retry(
          library.handleWhen(error => error.message !== 'failure 2'),
          options(library),
        ),
        note,
      ).execute(flaky(5, note)),
    'refuses results': (library, note) => {
      const answers = [503, 503, 200];
      return listened(
        library.retry(
          library.handleWhenResult(value => value === 503),
          options(library),
        ),
        note,
      ).execute(() => answers.shift());
    },
    'gives back a refused result': (library, note) =>
      listened(
        library.retry(
          library.handleWhenResult(value => value === 503),
          options(library),
        ),
        note,
      ).execute(() => 503),
    'was aborted before': (library, note) =>
      listened(library.retry(library.handleAll, options(library)), note).execute(flaky(5, note), AbortSignal.abort()),
    'is aborted in an attempt': (library, note) => {
      const controller = new AbortController();
      return listened(library.retry(library.handleAll, options(library)), note).execute(async () => {
        controller.abort(new Error('no longer'));
        throw new Error('cut');
      }, controller.signal);
    },
    'has a listener that throws': (library, note) => {
      const policy = library.retry(library.handleAll, options(library));
      policy.onRetry(() => {
        throw new Error('listener');
      });
      return policy.execute(flaky(5, note));
    },
    'runs twice at the same time': async (library, note) => {
      const policy = listened(library.retry(library.handleAll, options(library)), note);
      return await Promise.all([
        policy.execute(flaky(1, () => undefined, 'one')),
        policy.execute(flaky(2, () => undefined, 'two')),
      ]);
    },
    'is part of a chain': (library, note) =>
      library
        .wrap(
          library.retry(library.handleAll, options(library)),
          library.circuitBreaker(library.handleAll, {
            halfOpenAfter: 1000,
            breaker: new library.ConsecutiveBreaker(5),
          }),
        )
        .execute(flaky(1, note)),
    'does not hold the process': (library, note) =>
      listened(library.retry(library.handleAll, options(library)).dangerouslyUnref(), note).execute(flaky(1, note)),
    'has no function': library => library.retry(library.handleAll, options(library)).execute(undefined),
    'may not retry': (library, note) => library.retry(library.handleAll, options(library, 0)).execute(flaky(1, note)),
    'leaves a rejection to the process': async (library, note) => {
      const unhandled = new Promise<unknown>(resolve => process.once('unhandledRejection', resolve));
      void library
        .retry(library.handleAll, options(library))
        .execute(() => Promise.reject(new Error('nobody listens')));
      note('unhandled', await unhandled);
    },
  },
};
