import type { Clock } from '../../../engine/clock.ts';
import {
  type Check,
  checkClock,
  checkOptions,
  isFunction,
  milliseconds,
  ofType,
} from '../../../engine/option-checks.ts';
import { read } from '../../../engine/read.ts';
import type { Retention } from '../retention.ts';
import type { PostgresPool } from './clients.ts';

/** The options of a `PostgresDeadLetterStore`. */
export interface PostgresDeadLetterStoreOptions {
  /**
   * A pool of pg, yours to end. It needs a listener for `error`, as every pool of pg does: without one, a connection that
   * breaks while it is idle ends the process.
   */
  readonly pool: PostgresPool;
  /** The schema of the tables, which must be there. Lower-case letters, digits and underscores. Default `'public'`. */
  readonly schema?: string;
  /**
   * The table of the letters; other things that belong to it begin with this name. 1 to 47 lower-case letters, digits and
   * underscores, no digit first. Default `'retryscope_dead_letters'`.
   */
  readonly table?: string;
  readonly retention?: Retention;
  /**
   * How long one transaction may take, waiting for a connection included, in milliseconds. Then its connection is closed,
   * and the server cancels what runs. Default 5000. Range 1 to 2^31-1.
   */
  readonly timeoutMs?: number;
  /** For the time limits of this process; the age of letters and leases go by the clock of the server. */
  readonly clock?: Clock;
}

/** What holds where an option is left out. */
export const STORE_DEFAULTS: Readonly<
  Required<Pick<PostgresDeadLetterStoreOptions, 'schema' | 'table' | 'timeoutMs'>>
> = Object.freeze({ schema: 'public', table: 'retryscope_dead_letters', timeoutMs: 5000 });

/** @throws TypeError or RangeError, naming the option, the value and what is allowed; an address is never shown */
export function checkStoreOptions(options: PostgresDeadLetterStoreOptions): void {
  const given: unknown = options;
  if (typeof given === 'string')
    throw new TypeError('the options of a PostgresDeadLetterStore are a string; pass { pool }');
  checkOptions('the options of a PostgresDeadLetterStore', options, CHECKS);
  checkPool('pool', options.pool);
}

/**
 * Checks what is to run statements.
 *
 * @throws TypeError, which never shows the value: a text would be an address with its password
 */
export function checkQueryable(name: string, value: unknown): void {
  if (isFunction(read(value, 'query'))) return;
  throw new TypeError(`${name} is ${kindOf(value)}; it must be a client of pg, with a function "query"`);
}

function checkPool(name: string, value: unknown): void {
  const isPool = isFunction(read(value, 'connect')) && !isFunction(read(value, 'release'));
  // Clients have `connect` as well; what tells them apart are the parameters of their one connection.
  if (isPool && read(value, 'connectionParameters') === undefined) return;
  throw new TypeError(
    `${name} is ${kindOf(value)}; it must be a pool of pg, with a function "connect" that lends a connection`,
  );
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? 'an object of another kind' : `a ${typeof value}`;
}

/* @__NO_SIDE_EFFECTS__ */
function identifier(longest: number): Check {
  const pattern = new RegExp(`^[a-z_][a-z0-9_]{0,${longest - 1}}$`);
  return ofType(
    `1 to ${longest} lower-case letters, digits and underscores, no digit first`,
    v => typeof v === 'string',
    v => pattern.test(v as string),
  );
}

const CHECKS: Readonly<Record<keyof PostgresDeadLetterStoreOptions, Check>> = {
  pool: checkPool,
  schema: identifier(63),
  // Leaves room for the endings of what belongs to it, within the 63 bytes of a name.
  table: identifier(47),
  retention: () => undefined,
  timeoutMs: milliseconds(1),
  clock: checkClock,
};
