import { randomUUID } from 'node:crypto';
import { milliseconds } from '../../../engine/option-checks.ts';
import { systemClock } from '../../../engine/system-clock.ts';
import { redisCommands } from '../../../limits/redis/redis-commands.ts';
import { type Script, ScriptRunner } from '../../../limits/redis/script-runner.ts';
import { checkClaim } from '../claim-checks.ts';
import {
  type Claim,
  type DeadLetterStore,
  DeadLetterStoreFullError,
  type FurtherFailure,
  type LetterPage,
  type PageRequest,
  type PutResult,
  type StoreStats,
} from '../dead-letter-store.ts';
import type { DeadLetter } from '../letter.ts';
import { checkFilter, type LetterFilter } from '../letter-filter.ts';
import { isRemains } from '../letter-text.ts';
import { placeAfter, readPage } from '../page.ts';
import { ownerMark } from '../past-owners.ts';
import { type Retention, readRetention } from '../retention.ts';
import { afterFailure, failedLetter, quarantinedLetter, redrivenLetter, revivedLetter } from '../transitions.ts';
import { DurabilityCheck } from './durability-check.ts';
import { type FoundLetter, jsonForLua, placeOf, writtenLetter } from './letter-record.ts';
import { type FoundLetters, readFound, readStats, textsOf } from './replies.ts';
import {
  changeScript,
  claimScript,
  getScript,
  listScript,
  putScript,
  releaseScript,
  removeScript,
  renewScript,
  statsScript,
} from './scripts.ts';
import { RedisNotDurableError, RedisStoreError } from './store-error.ts';
import { storeKeys } from './store-keys.ts';
import { checkStoreOptions, type RedisDeadLetterStoreOptions } from './store-options.ts';

/**
 * Dead letters in Redis: their texts in a stream, in which each letter stands once, as it is now. Every change is one
 * script, so all of it is done or nothing. Needs Redis 5, and from it `appendonly yes` with `appendfsync always`: only then is
 * a letter that was accepted on the disk. Replicas follow later: a failover may lose the last letters. A server that is killed
 * while it writes may keep half of a change that it had not acknowledged, which shows in counts that are off by one;
 * `redis-check-aof --fix` before its start cuts that off.
 *
 * @example
 * ```ts
 * const store = new RedisDeadLetterStore({ redis: new Redis('redis://localhost') });
 * const queue = new DeadLetterQueue({ name: 'payments', store });
 * ```
 */
export class RedisDeadLetterStore implements DeadLetterStore {
  /** The key of the stream; the other keys begin with it. */
  readonly key: string;
  readonly #retention: Required<Retention>;
  readonly #check: DurabilityCheck;
  readonly #timeoutMs: number;
  readonly #runner: (script: Script) => ScriptRunner;
  #isClosed = false;

  /** @throws TypeError or RangeError, naming the option, the value and what is allowed */
  constructor(options: RedisDeadLetterStoreOptions) {
    checkStoreOptions(options);
    const { redis: client, durability = 'require', timeoutMs = 5000, clock = systemClock } = options;
    const keys = storeKeys(options.keyPrefix ?? 'retryscope:dead-letters:');
    const commands = redisCommands(client);
    this.key = keys[0] as string;
    this.#retention = readRetention(options.retention);
    this.#timeoutMs = timeoutMs;
    this.#runner = script => new ScriptRunner(commands, script, keys, clock);
    this.#check = new DurabilityCheck({ client, commands, key: this.key, durability, timeoutMs, clock });
  }

  /** @throws RedisNotDurableError when Redis may lose the letter, and `durability` is `'require'` */
  async put(letter: DeadLetter): Promise<PutResult> {
    await this.#guarded(() => this.#check.pass());
    const { record, text } = writtenLetter(letter);
    const { maxAgeMs, maxCount, maxBytes, whenFull } = this.#retention;
    const args = [record, text, `${maxAgeMs}`, `${maxCount}`, `${maxBytes}`, whenFull];
    let evicted = 0;
    let gone: readonly string[] = ['0', '0'];
    for (;;) {
      const [outcome, dropped, ...more] = textsOf(await this.#run(putScript, [...args, ...gone]));
      evicted += Number(dropped);
      if (outcome === 'full') throw new DeadLetterStoreFullError(more[0] as string);
      if (outcome === 'stored' || outcome === 'present') return { outcome, evicted };
      gone = more;
    }
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    return (await this.#find(id)).found[0]?.letter;
  }

  async list(filter: LetterFilter = {}, page: PageRequest = {}): Promise<LetterPage> {
    const { limit, after } = readPage(page);
    checkFilter(filter);
    const letters: DeadLetter[] = [];
    let cursor = after === undefined ? '' : placeOf(after);
    do {
      const args = [jsonForLua(filter), cursor, String(limit - letters.length)];
      const part = readFound(await this.#run(listScript, args));
      letters.push(...part.found.map(({ letter }) => letter));
      cursor = part.cursor;
    } while (cursor !== '' && letters.length < limit);
    return { letters, next: placeAfter(letters, limit) };
  }

  async claim(count: number, filter: LetterFilter, owner: string, leaseMs: number): Promise<readonly Claim[]> {
    checkClaim(count, owner, leaseMs);
    checkFilter(filter);
    const [token, mark] = [randomUUID(), ownerMark(owner)];
    const claims: Claim[] = [];
    let cursor = '';
    do {
      const wanted = [jsonForLua(filter), cursor, `${count - claims.length}`];
      const args = [...wanted, owner.toWellFormed(), token, `${leaseMs}`, mark];
      const part = readFound(await this.#run(claimScript, args));
      claims.push(...part.found.map(({ letter }) => ({ letter, token })));
      cursor = part.cursor;
    } while (cursor !== '' && claims.length < count);
    return claims;
  }

  async renew(id: string, token: string, leaseMs: number): Promise<boolean> {
    milliseconds(1)('leaseMs', leaseMs);
    return isDone(await this.#run(renewScript, [id, token, String(leaseMs)]));
  }

  async release(id: string, token: string): Promise<boolean> {
    return isDone(await this.#run(releaseScript, [id, token]));
  }

  async complete(id: string, token: string): Promise<boolean> {
    const changed = await this.#change(id, token, (letter, now) => redrivenLetter(letter, now));
    return changed !== undefined;
  }

  async failAgain(id: string, token: string, failure: FurtherFailure): Promise<'dead' | 'quarantined' | undefined> {
    return afterFailure(await this.#change(id, token, letter => failedLetter(letter, failure)));
  }

  async quarantine(id: string, token: string, why: string): Promise<boolean> {
    const changed = await this.#change(id, token, (letter, now) => quarantinedLetter(letter, now, why));
    return changed !== undefined;
  }

  async revive(filter: LetterFilter): Promise<number> {
    checkFilter(filter);
    const { states = ['quarantined'] } = filter;
    const wanted = jsonForLua({ ...filter, states: states.filter(state => state === 'quarantined') });
    let [revived, cursor] = [0, ''];
    do {
      const part = readFound(await this.#run(listScript, [wanted, cursor, REVIVED_AT_ONCE]));
      const all = part.found.map(found => this.#rewrite(found, '', revivedLetter(found.letter)));
      revived += (await Promise.all(all)).filter(isDone).length;
      cursor = part.cursor;
    } while (cursor !== '');
    return revived;
  }

  async purge(filter: LetterFilter): Promise<number> {
    checkFilter(filter);
    return (await this.#remove(filter)).removed;
  }

  async expire(): Promise<number> {
    return (await this.#remove({ olderThanMs: this.#retention.maxAgeMs })).lost;
  }

  async stats(): Promise<StoreStats> {
    return readStats(await this.#run(statsScript, []));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #find(id: string): Promise<FoundLetters> {
    return readFound(await this.#run(getScript, [id]));
  }

  /** Writes what becomes of a letter, if the token still has it. */
  async #change(
    id: string,
    token: string,
    change: (letter: DeadLetter, now: number) => DeadLetter,
  ): Promise<DeadLetter | undefined> {
    const { now, found } = await this.#find(id);
    if (found[0] === undefined || token === '') return undefined;
    const changed = change(found[0].letter, now);
    return isDone(await this.#rewrite(found[0], token, changed)) ? changed : undefined;
  }

  #rewrite({ letter, entry }: FoundLetter, token: string, changed: DeadLetter): Promise<unknown> {
    const { record, text } = writtenLetter(changed);
    // What could not be read keeps its text.
    return this.#run(changeScript, [letter.id, entry, token, record, isRemains(letter) ? '' : text]);
  }

  async #remove(filter: object): Promise<{ readonly removed: number; readonly lost: number }> {
    let [removed, lost, cursor] = [0, 0, ''];
    do {
      const part = textsOf(await this.#run(removeScript, [jsonForLua(filter), cursor]));
      cursor = part[0] ?? '';
      removed += Number(part[1]);
      lost += Number(part[2]);
    } while (cursor !== '');
    return { removed, lost };
  }

  #run(script: Script, args: readonly string[]): Promise<unknown> {
    return this.#guarded(() => this.#runner(script).run(args, this.#timeoutMs));
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new TypeError('The store of dead letters is closed');
    try {
      return await work();
    } catch (fault) {
      throw fault instanceof RedisNotDurableError ? fault : new RedisStoreError(fault);
    }
  }
}

const REVIVED_AT_ONCE = '100';

/** A client may be told to give numbers as texts. */
function isDone(reply: unknown): boolean {
  return String(reply) === '1';
}
