import type { Clock } from '../../../engine/clock.ts';
import type { RedisClient, RedisCommands } from '../../../limits/redis/redis-commands.ts';
import { answerWithin, ScriptRunner } from '../../../limits/redis/script-runner.ts';
import { configuredSettings, infoScript, isTold, lossesOf, type ServerSettings, settingsOfInfo } from './durability.ts';
import { RedisNotDurableError } from './store-error.ts';

/** What the check needs to know of its store. */
export interface DurabilityTerms {
  readonly client: RedisClient;
  readonly commands: RedisCommands;
  /** A key of the store: a cluster finds the node by it. */
  readonly key: string;
  readonly durability: 'require' | 'warn';
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Sees to it that letters go only to a server that keeps what it acknowledges. */
export class DurabilityCheck {
  readonly #terms: DurabilityTerms;
  readonly #info: ScriptRunner;
  readonly #warned = new Set<string>();
  #goodUntil = -Infinity;
  #asking: Promise<void> | undefined = undefined;

  constructor(terms: DurabilityTerms) {
    this.#terms = terms;
    this.#info = new ScriptRunner(terms.commands, infoScript, terms.key, terms.clock);
  }

  /**
   * Asks the server before the first letter, and then once a minute: settings change, and a failover brings another server.
   *
   * @throws RedisNotDurableError where it is required and the server does not
   */
  async pass(): Promise<void> {
    if (this.#terms.clock.now() < this.#goodUntil) return;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const { client, key, durability, timeoutMs, clock } = this.#terms;
    // The script comes first: it fails at once where there is no connection.
    const told = settingsOfInfo(await this.#info.run([], timeoutMs));
    const configured = await configuredSettings(client, key, ask => answerWithin(timeoutMs / 2, clock, ask));
    const servers = configured.length === 0 ? [told] : configured.map(settings => merged(settings, told));
    const losses = [...new Set(servers.flatMap(lossesOf))];
    if (losses.length > 0 && durability === 'require') throw new RedisNotDurableError(losses);
    if (losses.length > 0) this.#warn(`Redis may lose dead letters: ${losses.join('; ')}.`);
    if (!servers.every(isTold)) this.#warn(UNTOLD);
    this.#goodUntil = clock.now() + ASKED_EVERY_MS;
  }

  #warn(words: string): void {
    if (this.#warned.has(words)) return;
    this.#warned.add(words);
    try {
      process.emitWarning(words, { type: 'RetryscopeWarning', code: 'RETRYSCOPE_NOT_DURABLE' });
    } catch {
      // A process that forbids warnings has said that it does not want to know.
    }
  }
}

const UNTOLD =
  'Redis does not tell whether it has appendfsync always, without which a crash loses the last dead letters: make sure that it has.';
const ASKED_EVERY_MS = 60_000;

function merged(settings: ServerSettings, told: ServerSettings): ServerSettings {
  return {
    ...settings,
    appendonly: settings.appendonly ?? told.appendonly,
    maxmemoryPolicy: settings.maxmemoryPolicy ?? told.maxmemoryPolicy,
  };
}
