import { retry } from 'retryscope/core';
import { report } from '../section.ts';
import { measureWaiting, WAIT, waitingLoop } from '../waiting.ts';

const error = new Error('down');
const failing = async (): Promise<never> => {
  throw error;
};

const options = { operation: 'bench', maxAttempts: 2, initialDelay: WAIT, jitter: false } as const;

/**
 * From the second time on that a call gives up on the same error object, calls that nest are told apart by what
 * AsyncLocalStorage carries; no wait may hold any of that.
 */
const results = await measureWaiting(
  [
    { name: 'hand-written loop', run: () => waitingLoop(failing) },
    { name: 'retryscope', run: () => retry(failing, options) },
  ],
  5,
);

report({
  title: 'Heap of one waiting call, where all give up on one error object',
  unit: 'bytes',
  results,
  gates: [{ contender: 'retryscope', limit: 0.95 }],
});
