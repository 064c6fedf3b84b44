import { FakeClock } from 'retryscope/testing';
import {
  DeadLetterQueue,
  defineOperation,
  MemoryDeadLetterStore,
  OperationRegistry,
  type RedriveEvent,
  type RedriveOptions,
  redrive,
} from '../../src/recovery/dead-letters/index.ts';
import { redriveReport } from '../../src/recovery/dead-letters/redrive-report.ts';
import { storeWith } from './support/store-with.ts';

// A redrive whose store fails in the middle: the error is the store's own, and what was done is known beside it.

let clock: FakeClock;
let store: MemoryDeadLetterStore;
let registry: OperationRegistry;
let sent: number;
let isWorking: boolean;
beforeEach(async () => {
  clock = new FakeClock();
  store = new MemoryDeadLetterStore({ clock });
  registry = new OperationRegistry();
  sent = 0;
  isWorking = false;
  const deadLetter = new DeadLetterQueue({ name: 'payments', store, clock });
  const charge = defineOperation('charge', async () => refuseOrSend(), {
    clock,
    registry,
    maxAttempts: 1,
    deadLetter,
  });
  for (let i = 0; i < 20; i++) await charge().catch(() => undefined);
  isWorking = true;
});

function refuseOrSend(): void {
  if (!isWorking) throw new Error('mine');
  sent++;
}

/** A redrive over a store in which some methods are others, and what it has thrown. */
async function faultOf(own: Readonly<Record<string, unknown>>, options: RedriveOptions = {}): Promise<unknown> {
  const queue = new DeadLetterQueue({ name: 'payments', store: storeWith(store, own), clock });
  const nothing = Symbol('nothing');
  let thrown: unknown = nothing;
  await redrive(queue, { registry, ...options }).catch((error: unknown) => {
    thrown = error;
  });
  expect(thrown).not.toBe(nothing);
  return thrown;
}

/** A method that works some times, and then rejects. */
function failsAfter(times: number, method: 'complete' | 'claim', fault: unknown): Readonly<Record<string, unknown>> {
  let left = times;
  const work = store[method].bind(store) as (...args: unknown[]) => Promise<unknown>;
  return { [method]: (...args: unknown[]) => (left-- > 0 ? work(...args) : Promise.reject(fault)) };
}

it('is told of by the report of its error, which is the very one of the store', async () => {
  const fault = Object.freeze(new Error('gone'));
  const events: RedriveEvent[] = [];
  const thrown = await faultOf(failsAfter(7, 'complete', fault), { onLetter: event => events.push(event) });
  expect(thrown).toBe(fault);
  expect(redriveReport(fault)).toEqual({
    stopped: 'fault',
    results: { redriven: 7, failed: 0, quarantined: 0, released: 2, lost: 1 },
    owner: expect.stringContaining('pid '),
  });
  expect(sent).toBe(8);
  expect(events.map(({ result }) => result).join()).toBe(`${'redriven,'.repeat(7)}lost,released,released`);
});

it('counts each letter in work that reached the outside as lost', async () => {
  const fault = new Error('gone');
  await faultOf(failsAfter(4, 'complete', fault), { concurrency: 4 });
  expect(redriveReport(fault)?.results).toMatchObject({ redriven: 4, lost: 4 });
  expect(sent).toBe(8);
});

it('counts what was not sent as nothing', async () => {
  const fault = new Error('gone');
  await faultOf(failsAfter(1, 'claim', fault));
  expect(redriveReport(fault)).toMatchObject({ stopped: 'fault', results: { redriven: 10, released: 0, lost: 0 } });
});

it('does not ask a store that fails for each letter that is to be given back', async () => {
  let asked = 0;
  const release = (): Promise<never> => {
    asked++;
    return Promise.reject(new Error('gone'));
  };
  const first = new Error('gone first');
  expect(await faultOf({ ...failsAfter(2, 'complete', first), release })).toBe(first);
  expect(asked).toBe(1);
  expect(redriveReport(first)?.results).toMatchObject({ redriven: 2, released: 0, lost: 1 });
});

it('is the report of the latest run where a store throws one error again and again', async () => {
  const fault = new Error('gone');
  await faultOf(failsAfter(3, 'complete', fault));
  const before = redriveReport(fault);
  await faultOf({ claim: () => Promise.reject(fault) });
  expect(before?.results.redriven).toBe(3);
  expect(redriveReport(fault)?.results.redriven).toBe(0);
});

it.each([undefined, null, 'gone', 5])('passes %p on, of which nothing can be told', async fault => {
  expect(await faultOf({ claim: () => Promise.reject(fault) })).toBe(fault);
  expect(redriveReport(fault)).toBeUndefined();
});

it('knows nothing of other errors', () => {
  expect(redriveReport(new Error('of somebody else'))).toBeUndefined();
});
