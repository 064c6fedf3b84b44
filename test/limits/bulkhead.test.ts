import { AsyncLocalStorage } from 'node:async_hooks';
import { Bulkhead, CircuitBreaker, retry } from '../../src/core.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { outcomeOf } from '../support/settle.ts';

const turn = (): Promise<void> => new Promise(setImmediate);

it('runs as many at once as it may, in the order in which they came', async () => {
  const bulkhead = new Bulkhead({ name: 'reports', limit: 2, queue: 10 });
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<number>());
  const started: number[] = [];
  const calls = gates.map((gate, i) =>
    bulkhead.run(() => {
      started.push(i);
      return gate.promise;
    }, undefined),
  );
  await turn();
  expect([started, bulkhead.state]).toEqual([[0, 1], { name: 'reports', running: 2, queued: 3 }]);
  gates[1]?.resolve(1);
  await turn();
  expect(started).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve(0);
  await Promise.all(calls);
  expect([started, bulkhead.state]).toEqual([[0, 1, 2, 3, 4], { name: 'reports', running: 0, queued: 0 }]);
});

it('frees the slot of what throws, rejects or returns no promise', async () => {
  const bulkhead = new Bulkhead({ limit: 1, queue: 0 });
  const fail = (): never => {
    throw new Error('x');
  };
  await expect(bulkhead.run(fail, undefined)).rejects.toThrow('x');
  await expect(bulkhead.run(async () => fail(), undefined)).rejects.toThrow('x');
  await expect(bulkhead.run(() => 5, undefined)).resolves.toBe(5);
  expect(bulkhead.state.running).toBe(0);
});

it('refuses at once when the queue is full', async () => {
  const bulkhead = new Bulkhead({ name: 'reports', limit: 1 });
  const gate = Promise.withResolvers<void>();
  const running = bulkhead.run(() => gate.promise, undefined);
  await expect(bulkhead.run(() => 1, undefined)).rejects.toThrow(
    'The bulkhead "reports" is full: 1 attempts are running and 0 are waiting',
  );
  gate.resolve();
  await running;
});

it('lets a waiter leave the queue when its signal aborts, and leaves nothing on the signal', async () => {
  const bulkhead = new Bulkhead({ limit: 1, queue: 2 });
  const gate = Promise.withResolvers<void>();
  const running = bulkhead.run(() => gate.promise, undefined);
  const { signal, ...controller } = withListeners();
  const work = jest.fn();
  const waiting = outcomeOf(Promise.resolve(bulkhead.run(work, signal)));
  const next = outcomeOf(Promise.resolve(bulkhead.run(() => 'next', new AbortController().signal)));
  controller.abort('enough');
  expect([await waiting, bulkhead.state.queued, controller.listeners()]).toEqual([{ error: 'enough' }, 1, 0]);
  expect(await outcomeOf(Promise.resolve(bulkhead.run(work, signal)))).toEqual({ error: 'enough' });
  gate.resolve();
  await running;
  expect(await next).toEqual({ value: 'next' });
  expect(work).not.toHaveBeenCalled();
});

it('keeps the slot of an attempt that nobody waits for any more, until it has settled', async () => {
  const clock = new FakeClock();
  const bulkhead = new Bulkhead({ limit: 1 });
  const gate = Promise.withResolvers<void>();
  const call = outcomeOf(retry(() => gate.promise, { clock, bulkhead, attemptTimeout: 50, maxAttempts: 1 }));
  await clock.runAll();
  expect([await call, bulkhead.state.running]).toMatchObject([{ error: { code: 'ERR_RETRY_ATTEMPT_TIMEOUT' } }, 1]);
  gate.resolve();
  await turn();
  expect(bulkhead.state.running).toBe(0);
});

it('says nothing about what is called when it is full', async () => {
  const clock = new FakeClock();
  const breaker = new CircuitBreaker({ clock, trip: { kind: 'consecutive', failures: 1 } });
  const bulkhead = new Bulkhead({ limit: 1 });
  const gate = Promise.withResolvers<void>();
  const running = bulkhead.run(() => gate.promise, undefined);
  const call = outcomeOf(retry(() => 1, { clock, bulkhead, breaker, maxAttempts: 2 }));
  await clock.runAll();
  expect(await call).toMatchObject({ error: { code: 'ERR_RETRY_BULKHEAD_FULL' } });
  expect(breaker.state).toMatchObject({ at: 'closed', calls: { ignored: 2, failure: 0 } });
  gate.resolve();
  await running;
});

it('T4: runs what was queued in the async context of its own caller', async () => {
  const storage = new AsyncLocalStorage<string>();
  const bulkhead = new Bulkhead({ limit: 1, queue: 10 });
  const seen = await Promise.all(
    ['a', 'b', 'c', 'd'].map(name =>
      storage.run(name, () =>
        retry(
          async () => {
            await turn();
            return [name, storage.getStore()];
          },
          { bulkhead },
        ),
      ),
    ),
  );
  for (const [name, store] of seen) expect(store).toBe(name);
});

it.each<[object | undefined, typeof Error, string]>([
  [{}, TypeError, 'limit is undefined; it must be an integer from 1 to 1000000'],
  [{ limit: 0 }, RangeError, 'limit is 0'],
  [{ limit: 1, queue: -1 }, RangeError, 'queue is -1; it must be an integer from 0 to 1000000'],
  [undefined, TypeError, 'bulkhead options are undefined; they must be an object'],
])('refuses %j', (options, type, message) => {
  expect(() => new Bulkhead(options as never)).toThrow(type);
  expect(() => new Bulkhead(options as never)).toThrow(message);
});

function withListeners(): { signal: AbortSignal; abort(reason: unknown): void; listeners(): number } {
  const controller = new AbortController();
  let count = 0;
  const { addEventListener, removeEventListener } = controller.signal;
  controller.signal.addEventListener = (...args: unknown[]) => {
    count++;
    addEventListener.apply(controller.signal, args as never);
  };
  controller.signal.removeEventListener = (...args: unknown[]) => {
    count--;
    removeEventListener.apply(controller.signal, args as never);
  };
  return { signal: controller.signal, abort: reason => controller.abort(reason), listeners: () => count };
}
