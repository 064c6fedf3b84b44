import type { AttemptFunction } from '../../engine/attempt.ts';
import { message } from '../../engine/option-checks.ts';
import type { CallOptions, RetryPolicy } from '../../forms/retry-policy.ts';
import { type BuiltPolicies, buildPolicies, renamed, type ServiceRule } from './build.ts';
import type { Settings } from './parse.ts';
import { matches, type ServiceCall } from './service-rule.ts';

/**
 * The policies of a file, by the operations and services that they are for.
 *
 * @example
 * ```ts
 * const policies = await loadPolicies('retryscope.config.json');
 * const user = await policies.execute('load_user', ({ signal }) => loadUser(id, signal));
 * ```
 */
export class Policies {
  /** The file that they come from. */
  readonly path: string;
  #settings: Settings;
  #built: BuiltPolicies;

  /** @throws TypeError or RangeError, naming the file, the place in it, the value and what is allowed */
  constructor(path: string, file: Settings) {
    this.path = path;
    this.#built = inFile(path, () => buildPolicies(file));
    this.#settings = file;
  }

  /** What the file says, as plain data that was checked: for tools. Not to be changed. */
  get settings(): Readonly<Record<string, unknown>> {
    return this.#settings;
  }

  /** The operations that have a policy. */
  get operations(): string[] {
    return [...this.#built.operations.keys()];
  }

  /** The rules for services, first come first served. */
  get services(): readonly ServiceRule[] {
    return this.#built.services;
  }

  /**
   * The policy of an operation. After a reload it may be another one, so ask again rather than keep it.
   *
   * @throws TypeError when the file has none for it
   */
  policyFor(operation: string): RetryPolicy {
    const policy = this.#built.operations.get(operation);
    if (policy !== undefined) return policy;
    throw new TypeError(message('operation', operation, `one that ${this.path} has a policy for`));
  }

  /** Runs one call under the policy of an operation; see `retry`. */
  execute<R>(operation: string, fn: AttemptFunction<R>, perCall?: CallOptions): Promise<R> {
    return this.policyFor(operation).execute(fn, perCall);
  }

  /** The first rule that is for this call; undefined where there is none. */
  ruleFor(call: ServiceCall): ServiceRule | undefined {
    return this.#built.services.find(({ match }) => matches(match, call));
  }

  /**
   * Takes over another version of the file: limits that are the same there go on, calls under way end as they began.
   *
   * @throws TypeError or RangeError when something is wrong in it; everything stays as it was then
   */
  replace(file: Settings): void {
    this.#built = inFile(this.path, () => buildPolicies(file, this.#built));
    this.#settings = file;
  }
}

function inFile<R>(path: string, work: () => R): R {
  try {
    return work();
  } catch (error) {
    throw renamed(error, why => `${path}: ${why}`);
  }
}
