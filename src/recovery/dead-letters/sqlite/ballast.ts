import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../../engine/clock.ts';

/** Whether the space is kept, has been spent, or none was asked for. */
export type BallastState = 'kept' | 'spent' | 'none';

/**
 * Space that is kept for a full disk, as a file that can be deleted. On a full disk SQLite can neither write nor delete:
 * letting go of this brings the next letters in, and lets an operator purge.
 */
export class Ballast {
  readonly #file: string;
  readonly #bytes: number;
  readonly #clock: Clock;
  #nextTryAt = -Infinity;
  #isKept = false;

  constructor(file: string, bytes: number, clock: Clock) {
    this.#file = file;
    this.#bytes = bytes;
    this.#clock = clock;
    this.restore();
  }

  get state(): BallastState {
    if (this.#bytes === 0) return 'none';
    return this.#isKept ? 'kept' : 'spent';
  }

  /** Lets go of the space. False when there was nothing left to let go of. */
  release(): boolean {
    this.#isKept = false;
    this.#nextTryAt = this.#clock.now() + PAUSE_MS;
    const wasThere = sizeOf(this.#file) > 0;
    return this.#remove() && wasThere;
  }

  /** Takes the space again once the disk has room to spare; looks at most once a minute. True when it just did. Never throws. */
  restore(): boolean {
    if (this.#isKept || this.#bytes === 0 || this.#clock.now() < this.#nextTryAt) return false;
    this.#nextTryAt = this.#clock.now() + PAUSE_MS;
    try {
      if (sizeOf(this.#file) < this.#bytes) this.#fill();
      this.#isKept = sizeOf(this.#file) >= this.#bytes;
    } catch {
      // A disk without room for this has none for us; the letters come first.
      this.#remove();
    }
    return this.#isKept;
  }

  #remove(): boolean {
    try {
      rmSync(this.#file, { force: true });
      return true;
    } catch {
      return false;
    }
  }

  #fill(): void {
    const { bavail, bsize } = statfsSync(dirname(this.#file));
    if (bavail * bsize < 2 * this.#bytes) return;
    const descriptor = openSync(this.#file, 'w', 0o600);
    try {
      // No file system may make less of it, as it would of zeros.
      const chunk = randomBytes(Math.min(this.#bytes, CHUNK));
      for (let left = this.#bytes; left > 0; ) left -= writeSync(descriptor, chunk, 0, Math.min(left, chunk.length));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}

const PAUSE_MS = 60_000;
const CHUNK = 65_536;

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
