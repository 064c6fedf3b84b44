import { randomUUID } from 'node:crypto';
import { fallBack } from '../../engine/fall-back.ts';
import { guarded } from '../../engine/guarded.ts';
import {
  type Check,
  checkFunction,
  checkName,
  checkOptions,
  integerFrom,
  milliseconds,
  withFunctions,
} from '../../engine/option-checks.ts';
import type { RetryOptions } from '../../engine/options.ts';
import type { PerCall } from '../../engine/per-call.ts';
import { createPolicy } from '../../engine/policy.ts';
import type { HandedOverError } from './handed-over-error.ts';
import { keepLetter } from './keep-letter.ts';
import type { LetterSource } from './letter.ts';
import type { LetterKeeper } from './letter-keeper.ts';
import type { OperationContext } from './operation-context.ts';
import { type OperationRegistry, operations, type RegisteredOperation, type Restore } from './operation-registry.ts';
import { runOperation } from './run-operation.ts';
import { DEFAULT_LONGEST_WAIT_MS, type LongWaits, type WaitKeeper } from './wait-keeper.ts';
import { WayOut } from './way-out.ts';

/** How an operation is retried, and what becomes of a call that gives up. */
export interface OperationOptions<Args extends unknown[], T = unknown, F = never>
  extends Omit<RetryOptions<T, F>, 'operation'> {
  /** Where calls go that are given up: a `DeadLetterQueue`. Default none. */
  readonly deadLetter?: LetterKeeper;
  /**
   * The version of the arguments: raise it when they change, so that an old letter is not taken for a new one. Default
   * 1. Range 1 to 1000000.
   */
  readonly version?: number;
  /**
   * Makes the arguments of a redrive out of what was stored. Needed where that is not what the caller gave: secrets that
   * were redacted, a `Date`, an older version. Letters of that kind are quarantined without it, and calls of that kind are
   * not handed over. It also lets letters be sent that hold a digest in place of their idempotency key: with the digest for
   * a key, which the first attempts did not have. Where that could do a thing twice, throw when `call.payload.altered` holds
   * `'idempotency_key'`.
   */
  readonly restore?: Restore<Args>;
  /**
   * The key that all attempts and redrives of a call share. Default: a random one for each call. What it throws is
   * counted, and the default takes its place. At most 512 characters, and nothing that looks like a secret or the number of
   * a card: a letter holds `sha256:` and the digest of such a key, and is quarantined by a redrive, or sent with that for a
   * key where there is a `restore`. A queue with `redact: false` keeps the key as it is.
   */
  idempotencyKey?(...args: Args): string;
  /**
   * Who keeps a call over a wait that is longer than `maxInProcessDelay`: `BullmqWaits` or `PgBossWaits`. Its caller gets a
   * {@link HandedOverError} at once, and the call goes on later, in whichever process runs the worker. Default none: all
   * waits are in memory.
   */
  readonly durable?: WaitKeeper;
  /**
   * The longest wait in memory, in milliseconds; only together with `durable`. Default 30000. Range 0 to 2^31-1. No wait is
   * longer than `maxDelay`, whose default is 60000: raise that, too, for a service that asks for ten minutes.
   */
  readonly maxInProcessDelay?: number;
  /** Where redrives, and workers, find the handler. Default: the registry of the process. */
  readonly registry?: OperationRegistry;
}

/** What one call of an operation has of its own. */
export interface OperationCall extends PerCall {
  /** The key of this call, in place of the operation's. What is no text, or an empty one, is as if it were left out. */
  readonly idempotencyKey?: string;
  /** Where the work came from. */
  readonly source?: LetterSource;
}

/** A function whose calls are retried, and whose arguments are kept when a call is given up. */
export interface Operation<Args extends unknown[], R> {
  (...args: Args): Promise<Awaited<R>>;
  readonly operation: string;
  /** The same function, with something of its own for this call. */
  with(call: OperationCall): (...args: Args) => Promise<Awaited<R>>;
}

/**
 * Gives a handler a name under which calls that were given up can be kept and made again. The arguments are the payload:
 * plain JSON, best one object with identifiers in it, for they are stored. What is stored is what the arguments are when
 * the call gives up, so a handler must not change them.
 *
 * The letter is durable before the call settles. The caller gets the fallback's value or the last error, untouched,
 * whatever becomes of the letter. A call that its caller aborted leaves none, unless the queue asks for it.
 *
 * With `durable`, a call whose next attempt is far away ends for its caller with a {@link HandedOverError}, whose `cause` is
 * the last error, and goes on later in whichever process runs the worker: attempts, `maxElapsed`, deadline and
 * idempotency key are counted on. The fallback is not asked, neither then nor at the end; the caller's `signal` no longer
 * reaches it. For telemetry and `onStop` the first part was `aborted` with that error, and the second part is a call of its
 * own that links to the first. Redrives wait in memory.
 *
 * The handler's `this` is the {@link OperationContext}.
 *
 * @throws TypeError or RangeError at once, when an option is wrong or the name is taken
 *
 * @example
 * ```ts
 * const chargeCard = defineOperation(
 *   'charge_card',
 *   async function (this: OperationContext, order: { id: string; cents: number }) {
 *     return await payments.charge(order, { idempotencyKey: this.idempotencyKey, signal: this.signal });
 *   },
 *   { maxAttempts: 5, deadLetter: queue },
 * );
 * await chargeCard({ id: 'o-17', cents: 4200 });
 * ```
 */
export function defineOperation<Args extends unknown[], R, F = never>(
  name: string,
  handler: (this: OperationContext, ...args: Args) => R,
  options: OperationOptions<NoInfer<Args>, Awaited<R>, F> = {},
): Operation<Args, R | F> {
  checkName('name', name);
  checkFunction('handler', handler);
  const { deadLetter, version = 1, restore, idempotencyKey, registry = operations, ...others } = options;
  const { durable, maxInProcessDelay, ...retry } = others;
  checkOptions(
    'the options of an operation',
    definedOnly({ deadLetter, version, restore, idempotencyKey, registry, durable, maxInProcessDelay }),
    CHECKS,
  );
  const longWaits = longWaitsOf(durable, maxInProcessDelay);
  const policy = createPolicy({ ...(retry as RetryOptions<never, unknown>), operation: name });
  const operation: RegisteredOperation = {
    name,
    version,
    policy,
    handle: (context, args) => Reflect.apply(handler, context, args),
    restore: restore as Restore<unknown[]> | undefined,
    deadLetter,
    longWaits,
  };
  const run = async (call: OperationCall, args: Args): Promise<Awaited<R | F>> => {
    const key = onceKey(call.idempotencyKey, () => idempotencyKey?.(...args));
    const wayOut = longWaits === undefined ? undefined : wayOutOf(operation, longWaits, call, args, key);
    const ending = await runOperation(operation, args, { ...call, redrive: 0, idempotencyKey: key, wayOut });
    if (ending.is === 'success') return ending.value as Awaited<R | F>;
    if (wayOut?.taken !== undefined) throw wayOut.taken;
    await keepLetter(operation, ending, () => ({ args, idempotencyKey: key(), source: call.source }));
    const { stop, answer } = ending;
    const { fallback } = policy;
    const isFallback = fallback !== undefined && stop.reason !== 'aborted';
    return (await (isFallback ? fallBack(fallback, stop.error, stop) : answer())) as Awaited<R | F>;
  };
  registry.add(operation);
  return named<Args, R | F>(name, run);
}

function named<Args extends unknown[], R>(
  name: string,
  run: (call: OperationCall, args: Args) => Promise<Awaited<R>>,
): Operation<Args, R> {
  const callable = (...args: Args): Promise<Awaited<R>> => run(NOTHING, args);
  Object.defineProperty(callable, 'name', { value: name, configurable: true });
  return Object.assign(callable, {
    operation: name,
    with:
      (call: OperationCall) =>
      (...args: Args): Promise<Awaited<R>> =>
        run(call, args),
  });
}

const NOTHING: OperationCall = Object.freeze({});

function longWaitsOf(keeper: WaitKeeper | undefined, maxInProcessDelay: number | undefined): LongWaits | undefined {
  if (keeper !== undefined) return { keeper, maxInProcessDelay: maxInProcessDelay ?? DEFAULT_LONGEST_WAIT_MS };
  if (maxInProcessDelay === undefined) return undefined;
  throw new TypeError('maxInProcessDelay needs durable: somebody has to keep the calls whose wait is longer');
}

function wayOutOf(
  { name, version, policy, restore }: RegisteredOperation,
  waits: LongWaits,
  { deadline = policy.deadline, source }: OperationCall,
  args: readonly unknown[],
  idempotencyKey: () => string,
): WayOut {
  return new WayOut(waits, {
    operation: name,
    version,
    args: () => args,
    isRestorable: restore !== undefined,
    startedAt: Math.floor(policy.clock.wallNow()),
    deadline: deadline === undefined ? undefined : Number(deadline),
    idempotencyKey,
    source,
    before: undefined,
  });
}

/** The key of a call: made when it is first asked for, since most calls never need one. */
function onceKey(given: unknown, derive: () => unknown): () => string {
  let key = keyIn(given);
  return () => {
    key ??= keyIn(guarded('hook', derive)) ?? randomUUID();
    return key;
  };
}

/** Anything else than a text would be no key where the letter is sent again. */
function keyIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function definedOnly<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

const CHECKS: Readonly<Record<string, Check>> = {
  deadLetter: withFunctions('a DeadLetterQueue or an object with a function "keep"', 'keep'),
  version: integerFrom(1, 1_000_000),
  restore: checkFunction,
  idempotencyKey: checkFunction,
  registry: withFunctions('an OperationRegistry', 'add', 'get', 'names'),
  durable: withFunctions('BullmqWaits, PgBossWaits or an object with a function "handOver"', 'handOver'),
  maxInProcessDelay: milliseconds(0),
};
