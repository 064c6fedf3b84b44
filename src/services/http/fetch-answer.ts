import type { Clock } from '../../engine/clock.ts';
import { type FailedAnswer, LONGEST_READ_MS, MOST_READ, toldLength } from './failed-answer.ts';
import type { Answer } from './http-errors.ts';

/** A failed answer of fetch. What is read of its body can still be read by whoever gets the answer in the end. */
export class FetchAnswer implements Answer<Response>, FailedAnswer {
  #response: Response;
  readonly #clock: Pick<Clock, 'timer'>;

  constructor(response: Response, clock: Pick<Clock, 'timer'>) {
    this.#response = response;
    this.#clock = clock;
  }

  get response(): Response {
    return this.#response;
  }

  makeRoom(): void {
    quietly(() => {
      if (!isUnread(this.#response)) return;
      if (toldLength(this.#response.headers.get('content-length')) > MOST_READ) this.drop();
      else this.#readAhead(() => this.drop());
    });
  }

  handOver(): void {
    quietly(() => {
      if (isUnread(this.#response)) this.#readAhead(() => undefined);
    });
  }

  drop(): void {
    cancelBody(this.#response);
  }

  /** Reads one branch of the body, so that the other has it in memory; `tooLong` when the body goes on after that. */
  #readAhead(tooLong: () => void): void {
    const read = this.#response;
    this.#response = read.clone();
    const reader = read.body?.getReader();
    if (reader === undefined) return;
    let length = 0;
    const stop = (): void => {
      cancelTimer();
      // One branch that is cancelled leaves the other as it is.
      reader.cancel().catch(ignore);
      tooLong();
    };
    const cancelTimer = this.#clock.timer(LONGEST_READ_MS, stop, 'unref');
    const next = (): void => {
      reader.read().then(({ done, value }) => {
        if (done) return cancelTimer();
        length += value.byteLength;
        return length > MOST_READ ? stop() : next();
      }, cancelTimer);
    };
    next();
  }
}

/** Cancels what has not been read of a body, unless somebody is reading it. Never throws. */
export function cancelBody(response: Response): void {
  quietly(() => {
    if (isUnread(response)) response.body?.cancel().catch(ignore);
  });
}

function isUnread(response: Response): boolean {
  return response.body !== null && response.body !== undefined && !response.body.locked && !response.bodyUsed;
}

/** An answer of a stand-in for fetch may lack anything. */
function quietly(fn: () => void): void {
  try {
    fn();
  } catch {
    // There is nothing to free then, or no way to.
  }
}

function ignore(): void {
  // The body broke off, or was cancelled with the request.
}
