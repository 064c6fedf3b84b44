import { retry } from 'retryscope/core';
import { peers } from '../peers.ts';
import { report } from '../section.ts';
import { measureWaiting, service, WAIT, waitingLoop } from '../waiting.ts';

const error = new Error('down');
const flaky = async (): Promise<number> => {
  if (service.isDown) throw error;
  return 42;
};

const options = { operation: 'bench', maxAttempts: 2, initialDelay: WAIT, jitter: false } as const;
const others = peers(() => flaky, WAIT).filter(({ name }) => name === 'cockatiel 4' || name === 'p-retry 9');

const results = await measureWaiting(
  [
    { name: 'hand-written loop', run: () => waitingLoop(flaky) },
    { name: 'retryscope', run: () => retry(flaky, options) },
    ...others,
  ],
  5,
);

report({
  title: 'Heap of one waiting call, no signal, nobody watching',
  unit: 'bytes',
  results,
  gates: [{ contender: 'retryscope', limit: 0.95 }],
});
