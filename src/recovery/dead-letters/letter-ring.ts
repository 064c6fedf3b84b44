import type { DeadLetter } from './letter.ts';

/** Letters that wait in memory for their store, oldest first. When there are too many the oldest go. */
export class LetterRing {
  readonly #size: number;
  readonly #letters = new Map<string, DeadLetter>();

  constructor(size: number) {
    this.#size = size;
  }

  get length(): number {
    return this.#letters.size;
  }

  /** Adds a letter at the end. False when another one had to go for it, or the ring has no places. */
  push(letter: DeadLetter): boolean {
    if (this.#size === 0) return false;
    this.#letters.set(letter.id, letter);
    if (this.#letters.size <= this.#size) return true;
    for (const oldest of this.#letters.keys()) {
      this.#letters.delete(oldest);
      break;
    }
    return false;
  }

  /** The oldest, which stays. */
  peek(): DeadLetter | undefined {
    return this.#letters.values().next().value;
  }

  remove(letter: DeadLetter): void {
    this.#letters.delete(letter.id);
  }
}
