import type { RedisCommands } from '../../../src/limits/redis/index.ts';
import type { FakeClock } from '../../../src/testing/index.ts';

/** What a request of a budget asked for, in tokens. */
export interface Asked {
  readonly deposit: number;
  readonly want: number;
  readonly taken: number;
  readonly validUntil: number;
  readonly at: number;
}

/** How the double behaves from now on. */
export type Behaviour = 'answers' | 'hangs' | 'refuses';

const TOKEN = 1_000_000_000;

/** A bucket that answers as Redis would, in virtual time, and can be made to fail. It knows neither shares nor rollbacks. */
export class BucketDouble implements RedisCommands {
  tokens: number;
  behaviour: Behaviour = 'answers';
  latencyMs = 0;
  /** Answers instead of the real one, as often as there are some. */
  readonly replies: unknown[] = [];
  readonly asked: Asked[] = [];
  granted = 0;
  hasScript = true;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock, tokens: number) {
    this.#clock = clock;
    this.tokens = tokens;
  }

  async evalsha(_sha: string, _keys: string[], args: string[]): Promise<unknown> {
    if (!this.hasScript) throw new Error('NOSCRIPT No matching script.');
    return this.#run(args);
  }

  async eval(_script: string, _keys: string[], args: string[]): Promise<unknown> {
    this.hasScript = true;
    return this.#run(args);
  }

  async #run(args: readonly string[]): Promise<unknown> {
    const [capacity, rate, validUntil, deposit, need, want, , taken] = args.map(Number) as number[] & { length: 8 };
    this.asked.push({
      deposit: (deposit as number) / TOKEN,
      want: (want as number) / TOKEN,
      taken: (taken as number) / TOKEN,
      validUntil: validUntil as number,
      at: this.#clock.elapsed,
    });
    if (this.behaviour === 'hangs') return new Promise(() => undefined);
    if (this.behaviour === 'refuses')
      throw new Error('WRONGTYPE Operation against a key holding the wrong kind of value');
    if (this.replies.length > 0) return this.replies.shift();
    this.tokens = Math.min(this.tokens + (deposit as number) / TOKEN, (capacity as number) / TOKEN);
    const needed = (need as number) / TOKEN;
    const granted = Math.floor(Math.min(this.tokens, (want as number) / TOKEN) / needed) * needed;
    this.tokens -= granted;
    this.granted += granted;
    const missing = (needed - this.tokens) * TOKEN;
    const wait = missing <= 0 ? 0 : (rate as number) > 0 ? Math.ceil(missing / (rate as number)) : -1;
    const now = this.#clock.wallNow();
    if (this.latencyMs > 0) await this.#clock.sleep(this.latencyMs, undefined, 'ref');
    return [1, now, granted * TOKEN, Math.round(this.tokens * TOKEN), wait, 1, Math.round(this.granted * TOKEN)];
  }
}
