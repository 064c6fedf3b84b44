/** What is asked of the engine that holds the jobs: three lines each on BullMQ and pg-boss. */
export interface WaitEngine {
  /** The name of the queue. */
  readonly queue: string;
  /**
   * Adds a job that is due in `delayMs`, and resolves once the engine has it. An identifier that it knows already is no
   * error, and adds nothing. The engine must not retry the job when its handler fails, but run it again when its worker
   * has died.
   */
  add(id: string, operation: string, data: object, delayMs: number): Promise<unknown>;
  /** Takes a job back, where it is still there. */
  remove(id: string): Promise<unknown>;
}
