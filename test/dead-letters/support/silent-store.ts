import { DeadLetterQueue, defineOperation, MemoryDeadLetterStore } from '../../../src/recovery/dead-letters/index.ts';

// A process that nothing keeps alive but a call whose letter is given to a store that never answers.

const store = Object.assign(new MemoryDeadLetterStore(), { put: () => new Promise<never>(() => undefined) });
const deadLetter = new DeadLetterQueue({ name: 'payments', store, storeTimeoutMs: 300 });
const charge = defineOperation('charge', (_order: { readonly id: number }) => Promise.reject(new Error('mine')), {
  deadLetter,
  maxAttempts: 1,
});
await charge({ id: 7 }).catch((error: Error) => process.stdout.write(`${error.message}\n`));
