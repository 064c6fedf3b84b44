import type { Clock } from '../../../engine/clock.ts';

/**
 * Takes what was deleted out of the write-ahead log: in the file it is overwritten, but older pages of the log still have
 * it. `wipe` says whether it could, which readers may prevent.
 */
export class LogWiper {
  readonly #wipe: () => Promise<boolean>;
  readonly #clock: Clock;
  #cancel: (() => void) | undefined = undefined;
  #isOver = false;

  constructor(wipe: () => Promise<boolean>, clock: Clock) {
    this.#wipe = wipe;
    this.#clock = clock;
  }

  /** Within a second: at once for each letter would double the work of a redrive. */
  soon(): void {
    if (this.#cancel !== undefined || this.#isOver) return;
    this.#cancel = this.#clock.timer(PAUSE_MS, () => void this.#turn(), 'unref');
  }

  /** Now, unless readers prevent it for long. Never rejects. */
  async now(): Promise<boolean> {
    for (let i = 0; i < TRIES && !this.#isOver; i++) {
      try {
        if (await this.#wipe()) return true;
      } catch {
        // The letters are deleted; the log will be overwritten when its turn comes.
      }
      await this.#clock.sleep(SHORT_PAUSE_MS, undefined, 'ref');
    }
    return false;
  }

  /** Ends it. True where something was still to be done. */
  end(): boolean {
    this.#isOver = true;
    this.#cancel?.();
    return this.#cancel !== undefined;
  }

  async #turn(): Promise<void> {
    const isDone = await this.now();
    this.#cancel = undefined;
    if (!isDone) this.soon();
  }
}

const PAUSE_MS = 1000;
const SHORT_PAUSE_MS = 15;
const TRIES = 5;
