import { systemClock } from '../../src/engine/system-clock.ts';
import type { BreakerResult, BreakerState, BreakerStateName } from '../../src/limits/breaker-state.ts';
import { limitRegistry, type Readable, registerBreaker } from '../../src/limits/registry.ts';

/**
 * What a breaker of opossum is doing, by the events that it emits, in the words of our own breakers. Knows nothing of the
 * breaker itself, which therefore can be collected.
 */
export class OpossumState implements Readable<BreakerState> {
  readonly #name: string;
  #at: BreakerStateName;
  #since: number = systemClock.now();
  readonly #calls: Record<BreakerResult, number> = { success: 0, failure: 0, ignored: 0, rejected: 0 };
  readonly #transitions: Record<BreakerStateName, number> = zeros();
  readonly #millisecondsIn: Record<BreakerStateName, number> = zeros();

  constructor(name: string, at: BreakerStateName) {
    this.#name = name;
    this.#at = at;
    registerBreaker(this);
  }

  /** An event of the breaker. */
  hear(event: unknown): void {
    switch (event) {
      case 'success':
      case 'failure':
        this.#calls[event]++;
        break;
      case 'reject':
        this.#calls.rejected++;
        break;
      case 'open':
        this.#enter('open');
        break;
      case 'halfOpen':
        this.#enter('half_open');
        break;
      case 'close':
        this.#enter('closed');
        break;
      case 'shutdown':
        this.forget();
        break;
    }
  }

  /** The breaker is no more: it is shown no longer. */
  forget(): void {
    limitRegistry.breakers.delete(this);
  }

  get state(): BreakerState {
    const at = this.#at;
    return {
      name: this.#name,
      at,
      calls: { ...this.#calls },
      transitions: { ...this.#transitions },
      millisecondsIn: { ...this.#millisecondsIn, [at]: this.#millisecondsIn[at] + systemClock.now() - this.#since },
    };
  }

  #enter(at: BreakerStateName): void {
    const now = systemClock.now();
    this.#millisecondsIn[this.#at] += now - this.#since;
    this.#since = now;
    if (at !== this.#at) this.#transitions[at]++;
    this.#at = at;
  }
}

function zeros(): Record<BreakerStateName, number> {
  return { closed: 0, open: 0, half_open: 0, forced_open: 0 };
}
