import { randomUUID } from 'node:crypto';
import { callHook } from '../../engine/hook.ts';
import type { DeadLetterQueue } from './dead-letter-queue.ts';
import type { Claim } from './dead-letter-store.ts';
import { type Delivery, deliver } from './deliver.ts';
import { FailureRate } from './failure-rate.ts';
import { holdLease } from './hold-lease.ts';
import type { DeadLetter } from './letter.ts';
import type { LetterFilter } from './letter-filter.ts';
import { currentTrace, type LetterEnd, traceRedrive } from './letter-tracing.ts';
import { type OperationRegistry, operations } from './operation-registry.ts';
import { Pace } from './pace.ts';
import type { QueueEvent, QueueEventName } from './queue-event.ts';
import { checkRedriveOptions, REDRIVE_DEFAULTS, type RedriveEvent, type RedriveOptions } from './redrive-options.ts';
import { type RedriveReport, rememberReport } from './redrive-report.ts';

/**
 * Sends dead letters of a queue again, by the handlers of their operations and under their policies, oldest first. Each letter is
 * tried once in a run. Several runs may go on at the same time, in any number of processes: the store gives a letter to one of them
 * at a time. One that failed in a run, or was given back by it, may be tried by each of the others, and every failure counts toward
 * the quarantine. A letter whose redriver dies can be taken again when its lease ends.
 *
 * Toward the outside it is *at least once*: a process that dies between the work and the note of it leaves a letter that
 * will be sent again, with the same idempotency key. With a concurrency of 1 and one run, letters are sent in the order in
 * which they died; a letter that fails does not hold up those behind it.
 *
 * @throws TypeError or RangeError for an option that is wrong; what the store throws, after the letters in work were given
 * back: `redriveReport(error)` tells what was done until then
 *
 * @example
 * ```ts
 * const report = await redrive(queue, { filter: { errorType: 'ECONNREFUSED' }, ratePerSecond: 20 });
 * console.log(report.stopped, report.results);
 * ```
 */
export async function redrive(queue: DeadLetterQueue, options: RedriveOptions = {}): Promise<RedriveReport> {
  checkRedriveOptions(options);
  const run = new RedriveRun(queue, options);
  return run.run();
}

class RedriveRun {
  readonly #queue: DeadLetterQueue;
  readonly #options: typeof REDRIVE_DEFAULTS & RedriveOptions;
  readonly #registry: OperationRegistry;
  readonly #owner: string;
  readonly #pace: Pace;
  readonly #failures: FailureRate;
  readonly #results: Record<RedriveEvent['result'], number> = {
    redriven: 0,
    failed: 0,
    quarantined: 0,
    released: 0,
    lost: 0,
  };
  #ready: { readonly claim: Claim; readonly claimedAt: number }[] = [];
  /** Letters that this run was given and has not redriven: they have had their turn. */
  readonly #had = new Set<string>();
  /**
   * Claims of such letters, where so many others had them that the store has forgotten this run. They are held until it ends, or
   * the store would give them again in place of those behind them.
   */
  readonly #again: { readonly id: string; readonly token: string }[] = [];
  #claiming: Promise<void> | undefined = undefined;
  #claimed = 0;
  /** The last claim brought nothing. */
  #isEmpty = false;
  #stopped: RedriveReport['stopped'] | undefined = undefined;
  #fault: { readonly error: unknown } | undefined = undefined;

  constructor(queue: DeadLetterQueue, options: RedriveOptions) {
    this.#queue = queue;
    this.#options = { ...REDRIVE_DEFAULTS, ...definedOnly(options) };
    this.#registry = options.registry ?? operations;
    this.#owner = `${(options.owner ?? `pid ${process.pid}`).slice(0, 150)} ${randomUUID()}`;
    this.#pace = new Pace(queue.clock, this.#options.ratePerSecond);
    this.#failures = new FailureRate(this.#options.window, this.#options.minTried);
  }

  async run(): Promise<RedriveReport> {
    await Promise.all(Array.from({ length: this.#options.concurrency }, () => this.#work()));
    await this.#giveBack();
    const report = { results: this.#results, owner: this.#owner };
    if (this.#fault === undefined) return { stopped: this.#stopped ?? 'done', ...report };
    rememberReport(this.#fault.error, { stopped: 'fault', ...report });
    throw this.#fault.error;
  }

  /** One worker: a letter after another, until something stops the run. */
  async #work(): Promise<void> {
    try {
      for (let next = await this.#next(); next !== undefined; next = await this.#next())
        await this.#redrive(next.claim, next.claimedAt);
    } catch (error) {
      this.#fault ??= { error };
      this.#stopped ??= 'fault';
    }
  }

  async #next(): Promise<{ readonly claim: Claim; readonly claimedAt: number } | undefined> {
    if (this.#options.signal?.aborted === true) this.#stopped ??= 'aborted';
    if (this.#stopped !== undefined) return undefined;
    while (this.#ready.length === 0 && !this.#isEmpty && this.#stopped === undefined) {
      this.#claiming ??= this.#claim().finally(() => {
        this.#claiming = undefined;
      });
      await this.#claiming;
    }
    return this.#stopped === undefined ? this.#ready.shift() : undefined;
  }

  async #claim(): Promise<void> {
    const { limit, batch, ratePerSecond, leaseMs, filter } = this.#options;
    const left = limit - this.#claimed;
    if (left <= 0) {
      this.#stopped ??= 'limit';
      return;
    }
    // No more than can be started in half a lease.
    const inTime = Math.max(1, Math.floor((ratePerSecond * leaseMs) / 2000));
    const wanted: LetterFilter = { ...filter, queue: this.#queue.name, operations: this.#known(filter.operations) };
    const claims = await this.#queue.store.claim(Math.min(batch, left, inTime), wanted, this.#owner, leaseMs);
    const claimedAt = this.#queue.clock.now();
    this.#isEmpty = claims.length === 0;
    for (const claim of claims) this.#take(claim, claimedAt);
  }

  #take(claim: Claim, claimedAt: number): void {
    const { id } = claim.letter;
    if (this.#had.has(id)) {
      this.#again.push({ id, token: claim.token });
      return;
    }
    this.#had.add(id);
    this.#claimed++;
    this.#ready.push({ claim, claimedAt });
  }

  /** The operations that this process has handlers for, among those that are asked for. */
  #known(asked: readonly string[] | undefined): readonly string[] {
    const names = this.#registry.names();
    return asked === undefined ? names : names.filter(name => asked.includes(name));
  }

  async #redrive({ letter, token }: Claim, claimedAt: number): Promise<void> {
    const { leaseMs, signal } = this.#options;
    const { store, clock } = this.#queue;
    try {
      await this.#pace.wait(signal);
    } catch {
      this.#stopped ??= 'aborted';
    }
    // Meanwhile another worker may have found out that it is of no use.
    if (this.#stopped !== undefined) {
      await this.#release({ letter, token });
      return;
    }
    if (clock.now() - claimedAt > leaseMs / 2 && !(await store.renew(letter.id, token, leaseMs))) {
      this.#done(letter, 'lost');
      return;
    }
    const lease = holdLease(this.#queue, letter.id, token, leaseMs);
    try {
      await traceRedrive(letter, async () => {
        const delivery = await deliver(letter, this.#queue, this.#registry, signal);
        try {
          return await this.#settle({ letter, token }, delivery);
        } catch (error) {
          // It reached the outside, and that could not be noted.
          if (delivery.is === 'success' || delivery.is === 'failure') this.#done(letter, 'lost');
          throw error;
        }
      });
    } finally {
      lease.end();
    }
  }

  async #settle(claim: Claim, delivery: Delivery): Promise<LetterEnd> {
    const { letter, token } = claim;
    const { store } = this.#queue;
    switch (delivery.is) {
      case 'success':
        this.#judge('success');
        return this.#done(letter, (await store.complete(letter.id, token)) ? 'redriven' : 'lost');
      case 'failure': {
        this.#judge('failure');
        const failure = { ...delivery.failure, quarantineAfter: this.#options.quarantineAfter };
        const result = await store.failAgain(letter.id, token, failure);
        const { error } = delivery.failure;
        if (result !== undefined) this.#tell('failed', letter, { error });
        const why = `redrive ${letter.redrives + 1} of ${this.#options.quarantineAfter} failed`;
        return { ...this.#done(letter, result === 'dead' ? 'failed' : (result ?? 'lost'), why), error };
      }
      case 'impossible': {
        const { why } = delivery;
        return this.#done(letter, (await store.quarantine(letter.id, token, why)) ? 'quarantined' : 'lost', why);
      }
      default:
        if (delivery.why === 'down') this.#judge('failure');
        return this.#release(claim);
    }
  }

  #judge(outcome: 'success' | 'failure'): void {
    this.#failures.record(outcome);
    const { stopAtFailureRate } = this.#options;
    const { share } = this.#failures;
    if (share > 0 && share >= stopAtFailureRate) this.#stopped ??= 'failure_rate';
  }

  async #release({ letter, token }: Claim): Promise<LetterEnd> {
    return this.#done(letter, (await this.#queue.store.release(letter.id, token)) ? 'released' : 'lost');
  }

  #done(letter: DeadLetter, result: RedriveEvent['result'], why = ''): LetterEnd {
    this.#results[result]++;
    if (result === 'redriven') {
      this.#had.delete(letter.id);
      this.#tell('redriven', letter, {});
    } else if (result === 'quarantined') this.#tell('quarantined', letter, { why });
    const { onLetter } = this.#options;
    if (onLetter !== undefined) callHook(onLetter, { ...namesOf(letter), result });
    return { result };
  }

  #tell(event: QueueEventName, letter: DeadLetter, more: Pick<QueueEvent, 'error' | 'why'>): void {
    const redrive = letter.redrives + 1;
    this.#queue.tell({ event, letters: 1, ...namesOf(letter), redrive, ...more, trace: currentTrace() });
  }

  /** Gives back what was claimed and not begun. Where the store fails, the leases will end by themselves. */
  async #giveBack(): Promise<void> {
    try {
      for (const { claim } of this.#ready.splice(0)) await this.#release(claim);
      for (const { id, token } of this.#again) await this.#queue.store.release(id, token);
    } catch (error) {
      // Each of the others could take as long again.
      this.#fault ??= { error };
    }
  }
}

function namesOf({ id, operation }: DeadLetter): { readonly id: string; readonly operation: string } {
  return { id, operation };
}

function definedOnly(options: RedriveOptions): RedriveOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
