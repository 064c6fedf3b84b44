import type { Clock } from '../../engine/clock.ts';
import { reportFault } from '../../engine/faults.ts';
import type { DepositSource } from '../../engine/limits.ts';
import {
  type Check,
  checkClock,
  checkName,
  checkOptions,
  integerFrom,
  message,
  numberFrom,
} from '../../engine/option-checks.ts';
import type { ErrorClass } from '../../engine/outcome.ts';
import { systemClock } from '../../engine/system-clock.ts';
import type { BudgetMode } from '../budget-state.ts';
import { CountedBudget } from '../counted-budget.ts';
import {
  checkCost,
  costOf,
  MOST_TOKENS,
  type RetryCost,
  toTokens,
  toUnits,
  UNITS_PER_TOKEN,
  type UnitCosts,
  unitCosts,
} from '../token-units.ts';
import type { BudgetAnswer, BudgetTerms } from './budget-script.ts';
import { BudgetStore } from './budget-store.ts';
import { checkKeyPrefix } from './key-prefix.ts';
import { Lease, mostTokens } from './lease.ts';
import { LocalBucket } from './local-bucket.ts';
import { probeDelayMs } from './probe-delay.ts';
import { checkRedis, type RedisClient, redisCommands } from './redis-commands.ts';
import { faultCode } from './script-runner.ts';

/**
 * A retry budget that a fleet of processes shares through Redis: together they make at most `capacity` retries, and then
 * as many as `ratePerSecond` and the successes of all of them pay for. Every process that names the same budget must
 * give it the same options.
 *
 * A process takes a few tokens at a time (a lease of at most five seconds) and spends them without asking. When the
 * budget is empty it does not ask again before there can be a token, and at most ten times a second. Only a retry ever
 * waits for Redis, for `commandTimeoutMs` at most, and only while Redis answers: with the first failure the process falls
 * back on a bounded budget of its own, `capacity / expectedInstances`, and `mode` is `degraded` until Redis answers again.
 * Nothing that Redis or its client does reaches a caller.
 *
 * A new budget starts at half, and so does one that Redis has lost in a restart.
 *
 * @example
 * ```ts
 * const redis = new Redis('rediss://redis.internal:6379', { enableOfflineQueue: false });
 * const budget = new RedisBudget({ name: 'payments', redis, capacity: 100, ratio: 0.1, expectedInstances: 20 });
 * const charge = withRetry(chargeCard, { operation: 'charge_card', budget });
 * ```
 */
export class RedisBudget extends CountedBudget implements Disposable {
  readonly capacity: number;
  readonly #clock: Clock;
  readonly #costs: UnitCosts;
  readonly #terms: BudgetTerms;
  readonly #ratioUnits: number;
  readonly #timeoutMs: number;
  readonly #store: BudgetStore;
  readonly #lease: Lease;
  readonly #local: LocalBucket;
  #contact: Contact = { at: 'shared' };
  #isAsking = false;
  /** Retries that wait for an answer, in the order in which they came. */
  #waiting: Waiting[] = [];
  /** What successes have paid in and Redis has not been told. */
  #pendingUnits = 0;
  #cancelFlush: (() => void) | undefined = undefined;
  /** Before this time Redis has nothing for us. */
  #nextAskAt = -Infinity;
  /** What was granted in the second that ends then. */
  #taken: Taken = { units: 0, until: -Infinity };
  #lastSeen: LastSeen | undefined = undefined;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: RedisBudgetOptions) {
    checkRedisBudget(options);
    super(options.name);
    const { capacity, expectedInstances: instances = 10, ratePerSecond = 0 } = options;
    this.capacity = capacity;
    this.#clock = options.clock ?? systemClock;
    this.#costs = unitCosts(options.cost);
    this.#ratioUnits = toUnits(options.ratio ?? (ratePerSecond === 0 ? 0.1 : 0));
    this.#timeoutMs = options.commandTimeoutMs ?? 50;
    const costs = Object.values(this.#costs).filter(cost => cost > 0);
    this.#terms = {
      capacityUnits: toUnits(capacity),
      unitsPerMs: (ratePerSecond * UNITS_PER_TOKEN) / 1000,
      needUnits: costs.length > 0 ? Math.min(...costs) : UNITS_PER_TOKEN,
      instances,
    };
    const key = `${options.keyPrefix ?? 'retryscope:budget:'}{${options.name}}`;
    this.#store = new BudgetStore(redisCommands(options.redis), key, this.#terms, this.#clock);
    this.#lease = new Lease(options.leaseSize ?? mostTokens(ratePerSecond, capacity, instances));
    // Also the smallest share pays for one retry of each kind: without Redis there is less, never nothing.
    const localUnits = Math.max(this.#terms.capacityUnits / instances, ...costs);
    this.#local = new LocalBucket(localUnits, this.#terms.unitsPerMs / instances, this.#clock.now());
  }

  /** Tokens left now: of the fleet, as far as this process knows, or of this process alone when the mode is `degraded`. */
  override balance(): number {
    const now = this.#clock.now();
    const elsewhere = this.#contact.at === 'shared' ? this.#sharedUnits(now) : this.#local.balance(now);
    return toTokens(Math.round(this.#lease.balance(now) + elsewhere));
  }

  /** `shared`, or `degraded` while this process is on its own. */
  override get mode(): BudgetMode {
    return this.#contact.at === 'shared' ? 'shared' : 'degraded';
  }

  /** Why the mode is `degraded`, in one word of Redis or Node such as `ECONNREFUSED`, `NOPERM` or `OOM`. */
  get fault(): string | undefined {
    return this.#contact.at === 'degraded' ? this.#contact.fault : undefined;
  }

  override deposit(source: DepositSource): void {
    if (source !== 'success' || this.#ratioUnits === 0) return;
    this.#local.deposit(this.#ratioUnits);
    if (this.#contact.at !== 'shared') return;
    this.#pendingUnits = Math.min(this.#pendingUnits + this.#ratioUnits, this.#terms.capacityUnits);
    if (this.#cancelFlush === undefined && this.#pendingUnits >= this.#terms.needUnits) this.#flushLater();
  }

  /** Stops all timers and asks Redis no more; from then on the budget is one of this process alone. */
  close(): void {
    this.#contact.cancelProbe?.();
    this.#contact = { at: 'closed' };
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    this.#answerLocally();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected override take(errorClass: ErrorClass, error: unknown): number | undefined | Promise<number | undefined> {
    const cost = costOf(this.#costs, errorClass, error);
    const now = this.#clock.now();
    if (cost === 0 || this.#lease.tryTake(cost, now)) return toTokens(cost);
    if (this.#contact.at !== 'shared') return this.#takeLocally(cost, now);
    if (this.#waiting.length === 0 && now < this.#nextAskAt) return undefined;
    return new Promise(settle => {
      this.#waiting.push({ cost, since: now, settle });
      this.#ask();
    });
  }

  /** One request at a time; what comes meanwhile is served by its answer or by the next one. */
  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    // Calls that fail in the same turn of the loop are asked for together.
    queueMicrotask(() => void this.#exchange());
  }

  async #exchange(): Promise<void> {
    if (this.#contact.at === 'closed') return;
    try {
      const askedAt = this.#clock.now();
      const demand = this.#waiting.reduce((sum, { cost }) => sum + cost, 0);
      const want = demand === 0 ? 0 : this.#wholeNeeds(Math.max(demand, this.#lease.nextSize(askedAt)));
      const waitedMs = askedAt - (this.#waiting[0]?.since ?? askedAt);
      if (askedAt >= this.#taken.until) this.#taken = { units: 0, until: askedAt + SECOND_MS };
      const request = { deposit: this.#takePending(), want, taken: this.#taken.units };
      const answer = await this.#store.ask(request, Math.max(1, this.#timeoutMs - waitedMs));
      this.#isAsking = false;
      this.#answered(answer, want, askedAt);
    } catch (fault) {
      this.#isAsking = false;
      this.#failed(fault);
    }
  }

  /** Redis grants whole multiples of the smallest cost, so as not to give away what nobody can use. */
  #wholeNeeds(units: number): number {
    const { needUnits } = this.#terms;
    return Math.ceil(units / needUnits) * needUnits;
  }

  #answered(answer: Done, want: number, askedAt: number): void {
    if (this.#contact.at === 'closed') return;
    const now = this.#clock.now();
    this.#contact = { at: 'shared' };
    this.#lastSeen = { balance: answer.balance, at: now };
    this.#taken = { ...this.#taken, units: this.#taken.units + answer.granted };
    if (answer.granted > 0) this.#lease.add(answer.granted, askedAt);
    this.#nextAskAt = now + this.#pauseMs(answer, want, now);
    this.#waiting = this.#waiting.filter(({ cost, settle }) => {
      const isGranted = this.#lease.tryTake(cost, now);
      if (isGranted) settle(toTokens(cost));
      return !isGranted;
    });
    if (this.#waiting.length === 0) return;
    if (now >= this.#nextAskAt) this.#ask();
    else for (const { settle } of this.#waiting.splice(0)) settle(undefined);
  }

  /** How long it is of no use to ask again. */
  #pauseMs({ granted, waitMs = UNKNOWN_WAIT_MS }: Done, want: number, now: number): number {
    if (granted >= want && waitMs === 0) return 0;
    // There are tokens, but not for a process that has had its share of this second.
    const shareMs = waitMs === 0 && granted === 0 ? this.#taken.until - now : 0;
    return Math.max(waitMs, shareMs, LEAST_PAUSE_MS);
  }

  #failed(fault: unknown): void {
    if (this.#contact.at === 'closed') return;
    const failures = this.#contact.at === 'degraded' ? this.#contact.failures + 1 : 1;
    if (failures === 1) reportFault('limit', fault);
    const cancelProbe = this.#clock.timer(probeDelayMs(failures, this.#clock.random()), () => this.#ask(), 'unref');
    this.#contact = { at: 'degraded', failures, fault: faultCode(fault), cancelProbe };
    this.#answerLocally();
  }

  #answerLocally(): void {
    const now = this.#clock.now();
    for (const { cost, settle } of this.#waiting.splice(0)) settle(this.#takeLocally(cost, now));
  }

  #takeLocally(cost: number, now: number): number | undefined {
    return this.#local.tryTake(cost, now) ? toTokens(cost) : undefined;
  }

  /** What goes with the next request. It is gone even if that fails: Redis may have got it. */
  #takePending(): number {
    if (this.#contact.at !== 'shared' || !this.#store.knowsTime) return 0;
    const units = this.#pendingUnits;
    this.#pendingUnits = 0;
    return units;
  }

  #flushLater(): void {
    this.#cancelFlush = this.#clock.timer(
      SECOND_MS,
      () => {
        this.#cancelFlush = undefined;
        if (this.#contact.at === 'shared' && this.#pendingUnits > 0) this.#ask();
      },
      'unref',
    );
  }

  #sharedUnits(now: number): number {
    const { capacityUnits, unitsPerMs } = this.#terms;
    const { balance, at } = this.#lastSeen ?? { balance: capacityUnits / 2, at: now };
    return Math.max(0, Math.min(capacityUnits, balance + (now - at) * unitsPerMs));
  }
}

/** How a {@link RedisBudget} is kept, filled and spent. */
export interface RedisBudgetOptions {
  /** What the processes of a fleet share the budget under, and the metric label. 1 to 200 characters. */
  readonly name: string;
  /**
   * A client of ioredis or of node-redis (the package `redis`), a cluster of either, or an object of your own; see
   * `RedisCommands`. It stays yours: the budget neither connects nor closes it.
   */
  readonly redis: RedisClient;
  /** The most tokens that the fleet can save up. Range 1 to 1,000,000. */
  readonly capacity: number;
  /** Tokens that each successful attempt of any process adds. Default 0.1, or 0 with `ratePerSecond`. Range 0 to 1000. */
  readonly ratio?: number;
  /** Tokens that time adds for the whole fleet, by Redis' clock, whatever the load. Default 0. Range 0 to 1,000,000. */
  readonly ratePerSecond?: number;
  /** What one retry takes; see `RetryCost`. Default 1. No kind may cost more than `capacity`. */
  readonly cost?: RetryCost;
  /**
   * About how many processes share the budget: the share of each, while Redis is away and in what one may take of the
   * store in a second. Default 10. An integer from 1 to 100,000.
   */
  readonly expectedInstances?: number;
  /**
   * The most tokens that a process takes at a time. Default: its share of what comes in within a second, from 1 to 50.
   * An integer from 1 to 1000.
   */
  readonly leaseSize?: number;
  /** How long a retry waits for Redis, in milliseconds. Default 50. Range 1 to 50. */
  readonly commandTimeoutMs?: number;
  /** What the key begins with; the name follows in braces, as the hash tag. Default `retryscope:budget:`. */
  readonly keyPrefix?: string;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** Whom the budget is in contact with. `failures` counts those in a row. */
type Contact =
  | { readonly at: 'shared'; readonly cancelProbe?: undefined }
  | { readonly at: 'degraded'; readonly failures: number; readonly fault: string; readonly cancelProbe: () => void }
  | { readonly at: 'closed'; readonly cancelProbe?: undefined };

/** A retry that waits for an answer. */
interface Waiting {
  readonly cost: number;
  readonly since: number;
  readonly settle: (answer: number | undefined) => void;
}

interface Taken {
  readonly units: number;
  readonly until: number;
}

interface LastSeen {
  readonly balance: number;
  readonly at: number;
}

type Done = Extract<BudgetAnswer, { readonly kind: 'done' }>;

const SECOND_MS = 1000;
/** With the deposits once a second, an empty budget costs fewer than ten requests a second. */
const LEAST_PAUSE_MS = 150;
/** How soon to look again when only the successes of others can bring tokens. */
const UNKNOWN_WAIT_MS = 500;

const CHECKS: Record<keyof RedisBudgetOptions, Check> = {
  name: checkName,
  redis: checkRedis,
  capacity: numberFrom(1, MOST_TOKENS),
  ratio: numberFrom(0, 1000),
  ratePerSecond: numberFrom(0, MOST_TOKENS),
  cost: checkCost,
  expectedInstances: integerFrom(1, 100_000),
  leaseSize: integerFrom(1, 1000),
  commandTimeoutMs: numberFrom(1, 50),
  keyPrefix: checkKeyPrefix,
  clock: checkClock,
};

function checkRedisBudget(options: RedisBudgetOptions): void {
  checkOptions('budget options', options, CHECKS);
  for (const required of ['name', 'redis', 'capacity'] as const) CHECKS[required](required, options[required]);
  const { capacity, ratio, ratePerSecond, cost } = options;
  for (const [kind, units] of Object.entries(unitCosts(cost))) {
    if (toTokens(units) > capacity) {
      throw new RangeError(message(`cost (${kind})`, toTokens(units), `at most capacity, ${capacity}`));
    }
  }
  if ((ratePerSecond ?? 0) === 0 && ratio === 0) {
    throw new RangeError(message('ratio', ratio, 'more than 0, unless ratePerSecond is'));
  }
}
