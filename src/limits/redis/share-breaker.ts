import { type Clock, LONGEST_TIMER_MS } from '../../engine/clock.ts';
import { reportFault } from '../../engine/faults.ts';
import { type Check, checkClock, checkOptions, numberFrom, withFunctions } from '../../engine/option-checks.ts';
import { systemClock } from '../../engine/system-clock.ts';
import type { BreakerChange, CircuitBreaker } from '../circuit-breaker.ts';
import { type BreakerNews, type BreakerWord, breakerArguments, breakerScript, readWord } from './breaker-script.ts';
import { checkKeyPrefix } from './key-prefix.ts';
import { probeDelayMs } from './probe-delay.ts';
import { checkRedis, type RedisClient, redisCommands } from './redis-commands.ts';
import { faultCode, ScriptRunner } from './script-runner.ts';

/**
 * Shares the state of a circuit breaker with all processes that share one of the same name: when it opens in one of
 * them it opens in the others within `pollMs`, for as long as it has left, and when one of them has closed it after
 * successful probes the others close theirs. Each goes on watching its own attempts, and works alone while Redis is
 * away. A circuit that was forced open by hand is a matter of its own process.
 *
 * Nothing waits for Redis: attempts ask the breaker in this process, as ever.
 *
 * @example
 * ```ts
 * const breaker = new CircuitBreaker({ name: 'ledger' });
 * using shared = shareBreaker(breaker, redis);
 * ```
 *
 * @throws TypeError or RangeError, naming the option, the value and what is allowed
 */
export function shareBreaker(
  breaker: CircuitBreaker,
  redis: RedisClient,
  options: ShareBreakerOptions = {},
): SharedBreaker {
  withFunctions('a CircuitBreaker', 'onStateChange', 'trip', 'reset', 'openForMs')('breaker', breaker);
  checkRedis('redis', redis);
  checkOptions('shared breaker options', options, CHECKS);
  return new Sharing(breaker, redis, options);
}

/** A breaker that is shared, until it is closed. */
export interface SharedBreaker extends Disposable {
  /** `degraded` while Redis is out of reach and the breaker works alone. */
  readonly mode: 'shared' | 'degraded';
  /** Why the mode is `degraded`, in one word of Redis or Node. */
  readonly fault: string | undefined;
  /** Stops sharing; the breaker goes on by itself. */
  close(): void;
}

/** How a breaker is shared. */
export interface ShareBreakerOptions {
  /** How often to look at what the others say, in milliseconds. Default 1000. Range 100 to 60,000. */
  readonly pollMs?: number;
  /** How long to wait for an answer of Redis, in milliseconds. Nobody waits with it. Default 50. Range 1 to 1000. */
  readonly commandTimeoutMs?: number;
  /** What the key begins with; the name follows in braces, as the hash tag. Default `retryscope:breaker:`. */
  readonly keyPrefix?: string;
  /** Default: the system's. */
  readonly clock?: Clock;
}

const CHECKS: Record<keyof ShareBreakerOptions, Check> = {
  pollMs: numberFrom(100, 60_000),
  commandTimeoutMs: numberFrom(1, 1000),
  keyPrefix: checkKeyPrefix,
  clock: checkClock,
};

class Sharing implements SharedBreaker {
  readonly #breaker: CircuitBreaker;
  readonly #runner: ScriptRunner;
  readonly #clock: Clock;
  readonly #pollMs: number;
  readonly #timeoutMs: number;
  readonly #stopListening: () => void;
  #contact: Contact = { at: 'shared' };
  /** What the others have not been told yet. */
  #news: BreakerNews | undefined = undefined;
  #lastVersion = '';
  #isObeying = false;
  #isAsking = false;
  #cancelPoll: (() => void) | undefined = undefined;

  constructor(breaker: CircuitBreaker, redis: RedisClient, options: ShareBreakerOptions) {
    this.#breaker = breaker;
    this.#clock = options.clock ?? systemClock;
    this.#pollMs = options.pollMs ?? 1000;
    this.#timeoutMs = options.commandTimeoutMs ?? 50;
    const key = `${options.keyPrefix ?? 'retryscope:breaker:'}{${breaker.name}}`;
    this.#runner = new ScriptRunner(redisCommands(redis), breakerScript, key, this.#clock);
    this.#stopListening = breaker.onStateChange(change => this.#changed(change));
    if (breaker.state.at === 'open') this.#news = { says: 'open', openMs: breaker.openForMs() };
    void this.#exchange();
  }

  get mode(): 'shared' | 'degraded' {
    return this.#contact.at === 'shared' ? 'shared' : 'degraded';
  }

  get fault(): string | undefined {
    return this.#contact.at === 'degraded' ? this.#contact.fault : undefined;
  }

  close(): void {
    this.#contact = { at: 'closed' };
    this.#stopListening();
    this.#cancelPoll?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #changed({ from, to }: BreakerChange): void {
    if (this.#isObeying) return;
    if (to === 'open') this.#tell({ says: 'open', openMs: this.#breaker.openForMs() });
    else if (to === 'closed' && from !== 'forced_open') this.#tell({ says: 'closed' });
  }

  #tell(news: BreakerNews): void {
    this.#news = news;
    // While Redis is away the next probe brings it.
    if (this.#contact.at === 'shared') void this.#exchange();
  }

  async #exchange(): Promise<void> {
    if (this.#isAsking || this.#contact.at === 'closed') return;
    this.#isAsking = true;
    this.#cancelPoll?.();
    const news = this.#news;
    try {
      const word = readWord(await this.#runner.run(breakerArguments(news), this.#timeoutMs));
      this.#isAsking = false;
      this.#heard(word, news);
    } catch (fault) {
      this.#isAsking = false;
      this.#failed(fault);
    }
  }

  #heard(word: BreakerWord, told: BreakerNews | undefined): void {
    if (this.#contact.at === 'closed') return;
    this.#contact = { at: 'shared' };
    const isOurs = told !== undefined;
    const isNew = word.version !== this.#lastVersion && word.version !== '';
    this.#lastVersion = word.version;
    // What has happened here meanwhile is newer than the answer.
    const hasMore = this.#news !== told;
    if (!hasMore) this.#news = undefined;
    if (isNew && !isOurs && !hasMore) this.#obey(word);
    if (hasMore) void this.#exchange();
    else this.#exchangeAfter(this.#pollMs);
  }

  #obey({ says, leftMs }: BreakerWord): void {
    const { at } = this.#breaker.state;
    this.#isObeying = true;
    if (says === 'open' && leftMs > 0 && (at === 'closed' || at === 'half_open')) {
      this.#breaker.trip(Math.min(leftMs, LONGEST_TIMER_MS));
    } else if (says === 'closed' && (at === 'open' || at === 'half_open')) {
      this.#breaker.reset();
    }
    this.#isObeying = false;
  }

  #failed(fault: unknown): void {
    if (this.#contact.at === 'closed') return;
    const failures = this.#contact.at === 'degraded' ? this.#contact.failures + 1 : 1;
    if (failures === 1) reportFault('limit', fault);
    this.#contact = { at: 'degraded', failures, fault: faultCode(fault) };
    this.#exchangeAfter(probeDelayMs(failures, this.#clock.random()));
  }

  #exchangeAfter(ms: number): void {
    this.#cancelPoll = this.#clock.timer(ms, () => void this.#exchange(), 'unref');
  }
}

type Contact =
  | { readonly at: 'shared' }
  | { readonly at: 'degraded'; readonly failures: number; readonly fault: string }
  | { readonly at: 'closed' };
