import { PHASES, type Phase, phaseAt } from './phases.ts';

/** Which phase the upstream is in: that of the course of events, or one that a person has set. */
export class UpstreamControl {
  readonly #progress: () => number;
  #forced: Phase | undefined;

  /** @param progress how far the course of events is; a whole number ends a round */
  constructor(progress: () => number) {
    this.#progress = progress;
  }

  phase(): Phase {
    return this.#forced ?? phaseAt(this.#progress());
  }

  /** Stays in the phase of this name until it is told otherwise; false where there is none. */
  force(name: string): boolean {
    const phase = PHASES.find(candidate => candidate.name === name);
    if (phase !== undefined) this.#forced = phase;
    return phase !== undefined;
  }

  /** Goes back to the course of events. */
  release(): void {
    this.#forced = undefined;
  }
}
