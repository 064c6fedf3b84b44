import { type Clock, RetryPolicy } from 'retryscope/core';
import type { Contender, Process } from './contenders.ts';
import { exponential, randomStream } from './random.ts';
import { FifoServer, type Trigger } from './server.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Open-loop load on a server that loses capacity for a while. */
export interface StormSetting {
  /** Requests per second that the server can do. */
  readonly capacity: number;
  /** Calls per second that all processes start together. */
  readonly load: number;
  /** Milliseconds that an attempt may take. */
  readonly timeoutMs: number;
  readonly trigger: Trigger;
  readonly endMs: number;
  /** Client processes that share the load evenly. */
  readonly processes: number;
}

/** What became of a storm. */
export interface StormResult {
  /** Seconds from the end of the trigger to the first ten seconds in which 99 % of the calls succeed; undefined for never. */
  readonly recoverySeconds: number | undefined;
  /** The most attempts in any five seconds, per call that the load brings. */
  readonly peakAmplification: number;
  /** Attempts per call in the last fifth of the run. */
  readonly finalAmplification: number;
  readonly calls: number;
  readonly attempts: number;
}

/** Runs one contender through a storm. The same seed gives the same arrivals and the same work to every contender. */
export async function runStorm(setting: StormSetting, contender: Contender, seed: number): Promise<StormResult> {
  const clock = new VirtualClock(randomStream(seed * 4 + 1));
  const server = new FifoServer(clock, setting.capacity, setting.trigger, randomStream(seed * 4 + 2));
  const counts = new Counts(setting.endMs);
  const create = contender.processes(clock, setting.processes);
  const clients = Array.from({ length: setting.processes }, () => clientOf(create(), setting, clock));
  const attempt = (patienceMs: number): Promise<void> => {
    counts.attempts.add(clock.now());
    return server.request(patienceMs);
  };
  const arrivals = randomStream(seed * 4 + 3);
  const arrive = (): void => {
    clock.timer(exponential(1000 / setting.load, arrivals), arrive);
    counts.arrivals.add(clock.now());
    const { policy, patienceMs } = clients[Math.floor(arrivals() * clients.length)] as Client;
    policy
      .execute(() => attempt(patienceMs))
      .then(
        () => counts.successes.add(clock.now()),
        () => undefined,
      );
  };
  arrive();
  await clock.run(setting.endMs);
  return counts.result(setting);
}

interface Client {
  readonly policy: RetryPolicy;
  /** Milliseconds that an attempt may take. */
  readonly patienceMs: number;
}

function clientOf(process: Process, { timeoutMs }: StormSetting, clock: Clock): Client {
  const { attemptTimeout: patienceMs = timeoutMs } = process;
  return { policy: new RetryPolicy({ operation: 'storm', ...process, attemptTimeout: patienceMs, clock }), patienceMs };
}

/** How often something happened in each second. */
class PerSecond {
  readonly #counts: Int32Array;

  constructor(endMs: number) {
    this.#counts = new Int32Array(Math.ceil(endMs / 1000) + 1);
  }

  add(ms: number): void {
    const second = Math.floor(ms / 1000);
    this.#counts[second] = (this.#counts[second] ?? 0) + 1;
  }

  /** How often in the seconds from `from` to before `to`. */
  between(from: number, to: number): number {
    return this.#counts.subarray(from, to).reduce((sum, count) => sum + count, 0);
  }
}

/** The window in which a recovery must hold, and the one in which a peak is looked for, in seconds. */
const RECOVERY_WINDOW = 10;
const PEAK_WINDOW = 5;
const RECOVERED = 0.99;

class Counts {
  readonly arrivals: PerSecond;
  readonly attempts: PerSecond;
  readonly successes: PerSecond;

  constructor(endMs: number) {
    this.arrivals = new PerSecond(endMs);
    this.attempts = new PerSecond(endMs);
    this.successes = new PerSecond(endMs);
  }

  result({ endMs, load, trigger }: StormSetting): StormResult {
    const end = Math.floor(endMs / 1000);
    const tail = Math.floor(end * 0.8);
    let peak = 0;
    for (let at = 0; at + PEAK_WINDOW <= end; at++) peak = Math.max(peak, this.attempts.between(at, at + PEAK_WINDOW));
    return {
      recoverySeconds: this.#recovery(Math.ceil(trigger.toMs / 1000), end),
      peakAmplification: peak / PEAK_WINDOW / load,
      finalAmplification: this.attempts.between(tail, end) / this.arrivals.between(tail, end),
      calls: this.arrivals.between(0, end),
      attempts: this.attempts.between(0, end),
    };
  }

  #recovery(from: number, end: number): number | undefined {
    for (let at = from; at + RECOVERY_WINDOW <= end; at++) {
      const to = at + RECOVERY_WINDOW;
      if (this.successes.between(at, to) >= RECOVERED * this.arrivals.between(at, to)) return at - from;
    }
    return undefined;
  }
}
