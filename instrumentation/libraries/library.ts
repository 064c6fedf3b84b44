/** How one library is patched while a process loads it. */
export interface Library {
  /** Its name in `RETRYSCOPE_INSTRUMENTATIONS_DISABLED` and in the table of the README. */
  readonly name: string;
  /** What the patch does, for the table: `observes` retries that are there, or `retries` by the policy file. */
  readonly does: 'observes' | 'retries';
  /** The package that is loaded. */
  readonly module: string;
  /** Ranges of its versions that are known to work, such as `>=9 <10`. */
  readonly versions: readonly string[];
  /** The file inside the package that is patched, such as `src/retry/index.js`. Default: what the package exports. */
  readonly file?: string;
  /**
   * Returns the exports with the patch in them: the same object, or a new one where it is frozen, as the namespace of an
   * ES module is. What it throws is reported once, and the library stays as it was.
   */
  patch(exports: unknown): unknown;
}
