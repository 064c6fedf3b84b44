import type { AttemptFunction } from '../../engine/attempt.ts';
import { requireFunction } from '../../forms/require-function.ts';
import { retrySync } from '../../forms/retry-sync.ts';
import { type FileRetryOptions, filePolicy } from './file-policy.ts';

/**
 * Runs a function that works with files, and retries it while a file is busy, descriptors have run out, or a network
 * file system is away; see `classifyFileError`. Five attempts, the first wait half a second.
 *
 * The function is run again from its beginning, so let it do all or nothing: an append that failed half-way is made
 * twice. `writeFileAtomic` writes a file so that this does no harm.
 *
 * Operation: the function's name where none is given; give none that holds a path. Budget: `files`.
 *
 * @throws TypeError or RangeError at once, when an option is wrong
 *
 * @example
 * ```ts
 * const names = await retryFile(() => readdir('/mnt/share/inbox'), { operation: 'list_inbox' });
 * ```
 */
export function retryFile<T, F = never>(fn: AttemptFunction<T>, options?: FileRetryOptions<T, F>): Promise<T | F> {
  requireFunction('retryFile', fn);
  // T is one type here, that of the function; the policy of a form that runs many must know less.
  return filePolicy(options).execute(fn) as Promise<T | F>;
}

/**
 * {@link retryFile} for scripts and start-up code: it **blocks the thread** while it waits. Never use it in a server.
 *
 * @throws TypeError when `fn` returns a promise, or when the options have an `attemptTimeout`
 *
 * @example
 * ```ts
 * const config = retryFileSync(() => readFileSync('/mnt/share/config.json', 'utf8'), { operation: 'read_config' });
 * ```
 */
export function retryFileSync<T, F = never>(fn: AttemptFunction<T>, options?: FileRetryOptions<T, F>): T | F {
  requireFunction('retryFileSync', fn);
  return retrySync(fn, filePolicy(options));
}
