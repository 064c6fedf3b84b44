import type { Clock } from 'retryscope/core';

/**
 * A clock whose time jumps from event to event. What a callback sets off through promises is run to its end before the
 * next event, so the same events give the same run, and an hour of a storm passes in seconds.
 */
export class VirtualClock implements Clock {
  readonly #random: () => number;
  readonly #events: EventHeap = new EventHeap();
  #now = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now;
  }

  random(): number {
    return this.#random();
  }

  sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined) {
      return new Promise(resolve => {
        this.timer(ms, resolve);
      });
    }
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        cancel();
        reject(signal.reason);
      };
      const cancel = this.timer(ms, () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
  }

  timer(ms: number, callback: () => void): () => void {
    const event: ClockEvent = { due: this.#now + ms, order: 0, callback };
    this.#events.push(event);
    return () => {
      event.callback = undefined;
    };
  }

  block(): never {
    throw new TypeError('Nothing may block in the storm lab');
  }

  /** Lets the time run until there are no more events, or `endMs` has come. */
  async run(endMs: number): Promise<void> {
    const { stackTraceLimit } = Error;
    // Attempts fail by the hundred thousand here, and nobody reads where.
    Error.stackTraceLimit = 0;
    try {
      while (await this.#runSome(endMs));
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  /**
   * Runs the next events in one turn of Node's loop, an immediate for each: all that follows from promises is done
   * between one immediate and the next. False when that was all.
   */
  #runSome(endMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let goesOn = true;
      const step = (): void => {
        try {
          goesOn &&= this.#runNext(endMs);
        } catch (fault) {
          goesOn = false;
          reject(fault);
        }
      };
      for (let i = 0; i < EVENTS_PER_TURN; i++) setImmediate(step);
      setImmediate(() => resolve(goesOn));
    });
  }

  #runNext(endMs: number): boolean {
    let event = this.#events.pop();
    // Timers that were cancelled, as that of nearly every attempt is.
    while (event !== undefined && event.callback === undefined) event = this.#events.pop();
    if (event === undefined || event.due > endMs) return false;
    this.#now = event.due;
    event.callback?.();
    return true;
  }
}

/** Enough for the turns themselves to cost next to nothing. */
const EVENTS_PER_TURN = 256;

interface ClockEvent {
  readonly due: number;
  /** Events of the same time keep their order. */
  order: number;
  callback: (() => void) | undefined;
}

/** The events, soonest first: a binary heap. */
class EventHeap {
  readonly #items: ClockEvent[] = [];
  #count = 0;

  push(event: ClockEvent): void {
    event.order = this.#count++;
    const items = this.#items;
    let i = items.length;
    items.push(event);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(event, items[parent] as ClockEvent)) break;
      items[i] = items[parent] as ClockEvent;
      i = parent;
    }
    items[i] = event;
  }

  pop(): ClockEvent | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (first === undefined || last === undefined || items.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && isBefore(items[child + 1] as ClockEvent, items[child] as ClockEvent)) child++;
      if (!isBefore(items[child] as ClockEvent, last)) break;
      items[i] = items[child] as ClockEvent;
      i = child;
    }
    items[i] = last;
    return first;
  }
}

function isBefore(a: ClockEvent, b: ClockEvent): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
