import type { DeadLetter } from './letter.ts';

/** Letters that wait in memory for their store. When there are too many the first go. */
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

  /** The first, which stays. */
  peek(): DeadLetter | undefined {
    return this.#letters.values().next().value;
  }

  /** Behind all others, if it is still there. */
  toTheEnd(letter: DeadLetter): void {
    if (this.#letters.delete(letter.id)) this.#letters.set(letter.id, letter);
  }

  remove(letter: DeadLetter): void {
    this.#letters.delete(letter.id);
  }
}
