import type { RedisCommands } from 'retryscope/budget-redis';
import type { Clock } from 'retryscope/core';

/**
 * What the script of the fleet budget does in Redis, for virtual time: the same answers to the same requests. Vectors
 * that were recorded from a real Redis hold it to that.
 */
export class BudgetServer implements RedisCommands {
  readonly #clock: Clock;
  readonly #latencyMs: number;
  #bucket: Bucket | undefined = undefined;

  /** Answers after `latencyMs`. */
  constructor(clock: Clock, latencyMs: number) {
    this.#clock = clock;
    this.#latencyMs = latencyMs;
  }

  async evalsha(_sha: string, _keys: string[], args: string[]): Promise<unknown> {
    const reply = this.answer(args.map(Number), Math.floor(this.#clock.now()));
    await this.#clock.sleep(this.#latencyMs, undefined, 'unref');
    return reply;
  }

  eval(script: string, keys: string[], args: string[]): Promise<unknown> {
    return this.evalsha(script, keys, args);
  }

  /** The reply to a request that arrives at the millisecond `now`. */
  answer(args: readonly number[], now: number): number[] {
    const [capacity, rate, validUntil, deposit, need, want, instances, taken, birth, granted] = args as Arguments;
    if (validUntil > 0 && now > validUntil) return [0, now];
    const bucket = this.#bucketAt(now, Math.max(Math.floor(capacity / 2), need), { birth, granted });
    const income = Math.floor((now - bucket.at) * rate) + deposit;
    bucket.tokens = Math.max(Math.min(capacity, bucket.tokens + income), -capacity);
    bucket.at = now;
    const share = Math.floor((bucket.tokens + taken) / instances + rate * 1000) - taken;
    const room = Math.min(bucket.tokens, taken === 0 ? Math.max(share, need) : share, want);
    const grant = room >= need ? Math.floor(room / need) * need : 0;
    bucket.tokens -= grant;
    bucket.granted += grant;
    const missing = need - bucket.tokens;
    const whenRefilled = rate > 0 ? Math.min(Math.ceil(missing / rate), LONGEST_WAIT_MS) : -1;
    return [1, now, grant, bucket.tokens, missing > 0 ? whenRefilled : 0, bucket.birth, bucket.granted];
  }

  #bucketAt(now: number, initial: number, seen: Pick<Bucket, 'birth' | 'granted'>): Bucket {
    this.#bucket ??= { tokens: initial, at: now, granted: 0, birth: now };
    const bucket = this.#bucket;
    if (bucket.birth === seen.birth && bucket.granted < seen.granted) {
      bucket.tokens -= seen.granted - bucket.granted;
      bucket.granted = seen.granted;
    }
    return bucket;
  }
}

interface Bucket {
  tokens: number;
  at: number;
  granted: number;
  readonly birth: number;
}

/** As `scriptArguments` writes them. */
type Arguments = [number, number, number, number, number, number, number, number, number, number];

const LONGEST_WAIT_MS = 3_600_000;
