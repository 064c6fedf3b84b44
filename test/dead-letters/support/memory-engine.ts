import type { WaitEngine } from '../../../src/recovery/durable/wait-engine.ts';
import type { FakeClock } from '../../../src/testing/index.ts';

/** A job as an engine keeps it. */
export interface MemoryJob {
  readonly id: string;
  readonly operation: string;
  /** JSON text: what a process has in memory does not get into another one. */
  readonly text: string;
  readonly dueAt: number;
}

/** An engine whose jobs lie in a list, and that can be told to misbehave. */
export class MemoryEngine implements WaitEngine {
  readonly queue: string = 'long-waits';
  readonly jobs: Map<string, MemoryJob> = new Map();
  readonly removed: string[] = [];
  /** Called before a job is added. */
  before: () => unknown = () => undefined;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async add(id: string, operation: string, data: object, delayMs: number): Promise<void> {
    await this.before();
    if (this.jobs.has(id)) return;
    this.jobs.set(id, { id, operation, text: JSON.stringify(data), dueAt: this.#clock.wallNow() + delayMs });
  }

  async remove(id: string): Promise<void> {
    this.removed.push(id);
    this.jobs.delete(id);
  }

  /** The one job, as soon as it is due. */
  async due(): Promise<{ readonly id: string; readonly data: Record<string, unknown> }> {
    const [job] = this.jobs.values();
    if (job === undefined) throw new Error('There is no job');
    await this.#clock.advance(Math.max(0, job.dueAt - this.#clock.wallNow()));
    return { id: job.id, data: JSON.parse(job.text) as Record<string, unknown> };
  }
}
