import type { Clock } from '../../engine/clock.ts';
import {
  type BudgetAnswer,
  type BudgetMemory,
  type BudgetRequest,
  type BudgetTerms,
  budgetScript,
  readAnswer,
  scriptArguments,
} from './budget-script.ts';
import type { RedisCommands } from './redis-commands.ts';
import { ScriptRunner } from './script-runner.ts';

/** The bucket that the fleet shares, as one process sees it. */
export class BudgetStore {
  readonly #terms: BudgetTerms;
  readonly #clock: Clock;
  readonly #runner: ScriptRunner;
  #memory: BudgetMemory = { birth: 0, granted: 0 };
  /** Redis' time less ours; never more than the truth, since the answer was on its way for a while. */
  #offset: number | undefined = undefined;

  constructor(redis: RedisCommands, key: string, terms: BudgetTerms, clock: Clock) {
    this.#terms = terms;
    this.#clock = clock;
    this.#runner = new ScriptRunner(redis, budgetScript, key, clock);
  }

  /**
   * Whether requests can be marked with the time until which they are valid. Only then may they carry deposits, which
   * must not count twice when the client sends a request again.
   */
  get knowsTime(): boolean {
    return this.#offset !== undefined;
  }

  /** Asks Redis. Rejects after `timeoutMs`, and for whatever goes wrong. */
  async ask(request: BudgetRequest, timeoutMs: number): Promise<Done> {
    const deadline = this.#clock.now() + timeoutMs;
    const answer = await this.#send(request, deadline);
    if (answer.kind === 'done') return answer;
    // The clocks have moved against each other: now that the difference is known again, once more.
    const second = await this.#send(request, deadline);
    if (second.kind === 'done') return second;
    throw new Error('Redis refused the request as late twice');
  }

  async #send(request: BudgetRequest, deadline: number): Promise<BudgetAnswer> {
    // Times are whole milliseconds on the other side, hence the one more.
    const validUntil = this.#offset === undefined ? 0 : Math.ceil(deadline + this.#offset) + 1;
    const args = scriptArguments(this.#terms, request, validUntil, this.#memory);
    const answer = readAnswer(await this.#runner.run(args, Math.max(1, deadline - this.#clock.now())));
    this.#offset = answer.redisNow - this.#clock.now();
    if (answer.kind === 'done') this.#memory = answer.memory;
    return answer;
  }
}

type Done = Extract<BudgetAnswer, { readonly kind: 'done' }>;
