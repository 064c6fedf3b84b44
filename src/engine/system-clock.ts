import * as timers from 'node:timers';
import { onAbort } from './abort.ts';
import { type Clock, type Hold, LONGEST_TIMER_MS } from './clock.ts';

/** The clock of the process: monotonic time, `Math.random` and Node's timers. */
export const systemClock: Clock = Object.freeze({
  now: () => performance.now(),
  wallNow: () => Date.now(),
  random: () => Math.random(),
  sleep: (ms: number, signal: AbortSignal | undefined, hold: Hold) =>
    signal === undefined ? sharedSleep(ms, hold) : abortableSleep(ms, signal, hold),
  timer: startTimer,
  block: (ms: number) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  },
});

/** Waits that end in the same millisecond, behind one timer. */
interface Tick {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

const pendingTicks: Record<Hold, Map<number, Tick>> = { ref: new Map(), unref: new Map() };
const realSetTimeout = timers.setTimeout;

/**
 * The waits of one millisecond share one promise and one timer: a storm of 10,000 waiting calls costs as many
 * timers as there are different milliseconds, not 10,000. Each waiter still goes on in its own async context,
 * because that belongs to its `await`.
 *
 * Nobody else can clear such a timer as long as it is Node's own. Under a test's fake timers somebody can, and a
 * later wait of the same millisecond would then join a promise that never settles; there, every wait has its own.
 */
function sharedSleep(ms: number, hold: Hold): Promise<void> {
  if (globalThis.setTimeout !== realSetTimeout || 'clock' in realSetTimeout) {
    return new Promise(resolve => {
      startTimer(ms, resolve, hold);
    });
  }
  const now = performance.now();
  const due = Math.ceil(now + ms);
  const ticks = pendingTicks[hold];
  const waiting = ticks.get(due);
  if (waiting !== undefined) return waiting.promise;
  const tick = Promise.withResolvers<void>();
  ticks.set(due, tick);
  armTick(tick, due, due - now, hold);
  return tick.promise;
}

function armTick(tick: Tick, due: number, ms: number, hold: Hold): void {
  const onTime = (): void => {
    const early = due - performance.now();
    // Node counts from the start of the loop's turn, so a timer may be a fraction of a millisecond early.
    if (early > 0) {
      armTick(tick, due, early, hold);
    } else {
      pendingTicks[hold].delete(due);
      tick.resolve();
    }
  };
  const timer = setTimeout(onTime, Math.min(ms, LONGEST_TIMER_MS));
  if (hold === 'unref') timer.unref();
}

function abortableSleep(ms: number, signal: AbortSignal, hold: Hold): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const cancel = startTimer(
      ms,
      () => {
        stopListening();
        resolve();
      },
      hold,
    );
    const stopListening = onAbort(signal, () => {
      cancel();
      reject(signal.reason);
    });
  });
}

function startTimer(ms: number, callback: () => void, hold: Hold): () => void {
  // Read at each call: a test may have put its fake timers in place since.
  const timer = globalThis.setTimeout(callback, Math.min(Math.ceil(ms), LONGEST_TIMER_MS));
  if (hold === 'unref') timer.unref?.();
  return () => globalThis.clearTimeout(timer);
}
