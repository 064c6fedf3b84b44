/** What is known of whoever is around an attempt or a request. */
export interface NestingFrame {
  /** True inside the attempts of a policy with `nested: 'outer'`. */
  readonly retriesOutside: boolean;
  /** True once a call directly inside has given up after retries. */
  gaveUp: boolean;
}

/** What carries frames: an `AsyncLocalStorage`, without its type, which not every project has. */
export interface NestingStorage {
  run<R>(frame: NestingFrame, fn: () => R): R;
  getStore(): NestingFrame | undefined;
}
