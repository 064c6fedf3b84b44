import { faultCounts } from '../../src/core.ts';
import { CircuitBreaker } from '../../src/limits/circuit-breaker.ts';
import {
  DeadLetterQueue,
  defineOperation,
  MemoryDeadLetterStore,
  OperationRegistry,
  queueRegistry,
} from '../../src/recovery/dead-letters/index.ts';
import { tellListeners } from '../../src/recovery/dead-letters/queue-registry.ts';
import { tellWaitListeners, waitRegistry } from '../../src/recovery/durable/wait-registry.ts';

// As in stray-promises.test.ts, for those who listen to limits and to dead letters.

const rejects = (async () => {
  throw new Error('stray');
}) as () => never;

const unhandled = jest.fn();
beforeEach(() => process.on('unhandledRejection', unhandled));
afterEach(() => {
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

it.each<[string, string, () => unknown]>([
  [
    'a breaker’s listener',
    'hook',
    () => {
      const breaker = new CircuitBreaker({ name: 'stray' });
      breaker.onStateChange(rejects);
      breaker.forceOpen();
    },
  ],
  [
    'a listener to queues',
    'observer',
    () => {
      queueRegistry.listeners.add(rejects);
      tellListeners({ queue: 'q', event: 'purged', letters: 1 });
      queueRegistry.listeners.delete(rejects);
    },
  ],
  [
    'a listener to long waits',
    'observer',
    () => {
      waitRegistry.listeners.add(rejects);
      tellWaitListeners({ queue: 'q', event: 'continued', jobId: '1' });
      waitRegistry.listeners.delete(rejects);
    },
  ],
  [
    'an idempotency key',
    'hook',
    () => {
      const store = new MemoryDeadLetterStore();
      const deadLetter = new DeadLetterQueue({ name: 'stray', store, lastResort: () => undefined });
      const options = { deadLetter, registry: new OperationRegistry(), maxAttempts: 1, idempotencyKey: rejects };
      return defineOperation('stray', () => Promise.reject(new Error('down')), options)().catch(() => undefined);
    },
  ],
])('counts what %s rejects with, and ends no process', async (_, source, cause) => {
  const before = faultCounts().get(source) ?? 0;
  await cause();
  await new Promise(setImmediate);
  expect(faultCounts().get(source)).toBe(before + 1);
});
