import type { Clock } from '../../engine/clock.ts';
import { read } from '../../engine/read.ts';
import { type FailedAnswer, LONGEST_READ_MS, MOST_READ } from './failed-answer.ts';

/** A failed answer whose body is a stream of Node, or of the web where a client hands that on. */
export class StreamAnswer implements FailedAnswer {
  readonly #body: unknown;
  readonly #length: number;
  readonly #clock: Pick<Clock, 'timer'>;

  constructor(body: unknown, length: number, clock: Pick<Clock, 'timer'>) {
    this.#body = body;
    this.#length = length;
    this.#clock = clock;
  }

  makeRoom(): void {
    if (this.#length > MOST_READ || !isReadable(this.#body)) {
      this.drop();
      return;
    }
    this.#body.on('error', ignore);
    const cancelTimer = this.#clock.timer(LONGEST_READ_MS, () => this.drop(), 'unref');
    this.#body.on('close', cancelTimer);
    this.#body.resume();
  }

  handOver(): void {
    // A stream cannot be read on somebody's behalf: what has been read is gone.
  }

  drop(): void {
    if (isReadable(this.#body)) {
      // A stream that is destroyed may still tell of an error, and one that nobody hears ends the process.
      this.#body.on('error', ignore);
      this.#body.destroy();
    } else if (typeof read(this.#body, 'cancel') === 'function') {
      (this.#body as ReadableStream).cancel().catch(ignore);
    }
  }
}

interface Readable {
  on(event: 'error' | 'close', listener: () => void): unknown;
  resume(): unknown;
  destroy(): unknown;
}

function isReadable(body: unknown): body is Readable {
  return ['on', 'resume', 'destroy'].every(method => typeof read(body, method) === 'function');
}

function ignore(): void {
  // The answer is not wanted any more.
}
