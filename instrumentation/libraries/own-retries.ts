import { AsyncLocalStorage } from 'node:async_hooks';

/** Retries that a library has made by itself within some work. */
export interface OwnRetries {
  /** True once the library has begun a second attempt. */
  areMade: boolean;
}

/** Runs `fn`, and keeps account of the retries in it, as far as the library is watched. */
export function withOwnRetries<R>(account: OwnRetries, fn: () => R): R {
  return storage.run(account, fn);
}

/** The account that is kept around the caller; undefined where there is none. */
export function ownRetries(): OwnRetries | undefined {
  return storage.getStore();
}

const storage = new AsyncLocalStorage<OwnRetries>();
