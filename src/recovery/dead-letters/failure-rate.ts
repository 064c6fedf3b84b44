/** The share of failures among the latest outcomes. */
export class FailureRate {
  readonly #window: number;
  readonly #least: number;
  #outcomes: boolean[] = [];

  /** `least`: how many outcomes it takes for a share to mean anything. */
  constructor(window: number, least: number) {
    this.#window = window;
    this.#least = Math.min(least, window);
  }

  record(outcome: 'success' | 'failure'): void {
    this.#outcomes = [...this.#outcomes.slice(1 - this.#window || this.#outcomes.length), outcome === 'failure'];
  }

  /** 0 while there are too few outcomes. */
  get share(): number {
    if (this.#outcomes.length < this.#least) return 0;
    return this.#outcomes.filter(Boolean).length / this.#outcomes.length;
  }
}
