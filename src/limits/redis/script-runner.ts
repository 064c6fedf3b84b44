import type { Clock } from '../../engine/clock.ts';
import { read } from '../../engine/read.ts';
import type { RedisCommands } from './redis-commands.ts';

/** A Lua script: constant, never built from input. */
export interface Script {
  readonly lua: string;
  /** SHA-1 of `lua`, under which Redis keeps it. Stands here because not every Node may compute it. */
  readonly sha: string;
}

/** Runs one script on its keys, in bounded time. */
export class ScriptRunner {
  readonly #redis: RedisCommands;
  readonly #script: Script;
  readonly #keys: readonly string[];
  readonly #clock: Clock;

  constructor(redis: RedisCommands, script: Script, keys: string | readonly string[], clock: Clock) {
    this.#redis = redis;
    this.#script = script;
    this.#keys = typeof keys === 'string' ? [keys] : keys;
    this.#clock = clock;
  }

  /** Resolves with the reply. Rejects with what the client threw, or after `timeoutMs`; a later reply is dropped. */
  run(args: readonly string[], timeoutMs: number): Promise<unknown> {
    return answerWithin(timeoutMs, this.#clock, isOver => this.#evaluate(args, isOver));
  }

  async #evaluate(args: readonly string[], isOver: () => boolean): Promise<unknown> {
    const { lua, sha } = this.#script;
    try {
      return await this.#redis.evalsha(sha, [...this.#keys], [...args]);
    } catch (fault) {
      if (faultCode(fault) !== 'NOSCRIPT' || isOver()) throw fault;
      return await this.#redis.eval(lua, [...this.#keys], [...args]);
    }
  }
}

/**
 * Resolves and rejects as `ask` does, or rejects after `timeoutMs`; what comes later is dropped.
 *
 * The timer keeps the process alive, since a caller may be waiting: for no longer than that.
 */
export function answerWithin<T>(
  timeoutMs: number,
  clock: Clock,
  ask: (isOver: () => boolean) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const expire = (): void => {
      isOver = true;
      reject(new RedisTimeout('Redis did not answer in time'));
    };
    // A loop that was busy for longer finds the timer due before it has read the reply; hence the turn in between.
    let cancel = clock.timer(
      Math.max(0, timeoutMs - 1),
      () => {
        cancel = clock.timer(1, expire, 'ref');
      },
      'ref',
    );
    ask(() => isOver)
      .finally(() => {
        isOver = true;
        cancel();
      })
      .then(resolve, reject);
  });
}

/** The word by which Redis or Node names a fault, such as `NOPERM` or `ECONNREFUSED`; `UNKNOWN` when there is none. */
export function faultCode(fault: unknown): string {
  const code = read(fault, 'code');
  if (isWord(code)) return code;
  const text = read(fault, 'message');
  const word = typeof text === 'string' ? text.slice(0, LONGEST_WORD + 1).split(' ', 1)[0] : undefined;
  return isWord(word) ? word : 'UNKNOWN';
}

const LONGEST_WORD = 30;

function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Z][A-Z_]{1,29}$/.test(value);
}

class RedisTimeout extends Error {
  override readonly name = 'RedisTimeout';
  readonly code = 'ETIMEDOUT';
}
