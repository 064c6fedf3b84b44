import type { Clock } from '../../engine/clock.ts';

/** What keeps a member in its group: `heartbeat` of kafkajs' payload. */
export type Heartbeat = () => unknown;

/** The heartbeats of one message. */
export interface Beats {
  readonly heartbeat: Heartbeat;
  readonly intervalMs: number;
  /** Called with what a heartbeat threw. */
  onFailure(error: unknown): void;
}

/** Beats at once and then at each interval, never two at a time, until the returned function is called. */
export function startBeating(clock: Clock, { heartbeat, intervalMs, onFailure }: Beats): () => void {
  let isStopped = false;
  let cancel = (): void => undefined;
  const beat = async (): Promise<void> => {
    try {
      await heartbeat();
    } catch (error) {
      if (!isStopped) onFailure(error);
    }
    if (!isStopped) cancel = clock.timer(intervalMs, beat, 'unref');
  };
  void beat();
  return () => {
    isStopped = true;
    cancel();
  };
}

/**
 * A clock under which a call beats while it waits. The waits of a call are known by its signal: whoever wants beats makes
 * one for each call, and names it here.
 */
export class BeatingClock implements Clock {
  readonly #clock: Clock;
  readonly #beats = new WeakMap<AbortSignal, Beats>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Beats in every wait of the call with this signal. */
  beatFor(signal: AbortSignal, beats: Beats): void {
    this.#beats.set(signal, beats);
  }

  async sleep(...args: Parameters<Clock['sleep']>): Promise<void> {
    const [, signal] = args;
    const beats = signal === undefined ? undefined : this.#beats.get(signal);
    if (beats === undefined) return this.#clock.sleep(...args);
    const stop = startBeating(this.#clock, beats);
    try {
      await this.#clock.sleep(...args);
    } finally {
      stop();
    }
  }

  now(): number {
    return this.#clock.now();
  }

  wallNow(): number {
    return this.#clock.wallNow();
  }

  random(): number {
    return this.#clock.random();
  }

  timer(...args: Parameters<Clock['timer']>): () => void {
    return this.#clock.timer(...args);
  }

  block(ms: number): void {
    this.#clock.block(ms);
  }
}
