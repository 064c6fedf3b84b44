import type { ErrorDescription } from '../../engine/describe-error.ts';
import type { StopReason } from '../../engine/outcome.ts';
import type { DeadLetter, LetterAttempt, LetterStateName } from './letter.ts';
import type { LetterFilter } from './letter-filter.ts';

/**
 * Where dead letters are kept. Every store passes one contract suite. Methods reject when the store cannot be reached; an answer means that it
 * is done, and durable as far as the store says so.
 *
 * Who works on a letter holds a claim: a token and a lease. What comes with a token that the letter no longer has changes
 * nothing, so a redriver that was thought dead cannot touch what another one works on.
 */
export interface DeadLetterStore extends AsyncDisposable {
  /**
   * Keeps a letter, durably. A letter whose id is there already is left as it is: to put one again does no harm. Where a limit was
   * lowered, each letter makes some hundred others go, and never less than it takes itself, until the limit holds.
   *
   * @throws DeadLetterStoreFullError when there is no room, and `whenFull` is `'refuse-new'`
   */
  put(letter: DeadLetter): Promise<PutResult>;
  get(id: string): Promise<DeadLetter | undefined>;
  /** Letters in the order in which they died, oldest first, a page at a time. */
  list(filter?: LetterFilter, page?: PageRequest): Promise<LetterPage>;
  /**
   * Gives up to `count` dead letters that fit, oldest first, to `owner` for `leaseMs`. Nobody else is given them before the
   * lease ends. A letter is given to one owner once, until it is revived: what failed again, was given back or was held until its
   * lease ended waits for other owners, so take a new name for each run. A letter remembers its last 16 owners: one that 16
   * others were given in between, for which it takes 17 at the same time, may come back to the first.
   */
  claim(count: number, filter: LetterFilter, owner: string, leaseMs: number): Promise<readonly Claim[]>;
  /** Makes the lease end `leaseMs` from now. False when the claim is lost. */
  renew(id: string, token: string, leaseMs: number): Promise<boolean>;
  /** Gives a letter back untried. False when the claim is lost. */
  release(id: string, token: string): Promise<boolean>;
  /** A redrive succeeded: the letter stays as a record without its payload. False when the claim is lost. */
  complete(id: string, token: string): Promise<boolean>;
  /** A redrive failed: what it met is added to the letter. Undefined when the claim is lost. */
  failAgain(id: string, token: string, failure: FurtherFailure): Promise<'dead' | 'quarantined' | undefined>;
  /** Puts a claimed letter aside, for a human to look at. False when the claim is lost. */
  quarantine(id: string, token: string, why: string): Promise<boolean>;
  /** Makes quarantined letters that fit dead again, with their redrives counted from 0. Gives how many. */
  revive(filter: LetterFilter): Promise<number>;
  /** Deletes what fits, but for what somebody works on. Gives how many. */
  purge(filter: LetterFilter): Promise<number>;
  /** Deletes what is older than the retention allows. Gives how many, records of redrives not counted. */
  expire(): Promise<number>;
  stats(): Promise<StoreStats>;
  close(): Promise<void>;
}

/** What became of a letter that was put. */
export interface PutResult {
  /** `present`: a letter of this id was there. */
  readonly outcome: 'stored' | 'present';
  /** Letters that had to go for it, or because of their age. Records of redrives are not counted. */
  readonly evicted: number;
  /** Something to tell the operator, in one word: the store had to use the space that it keeps for a full disk. */
  readonly warning?: 'disk_full';
}

/** Which part of a list. */
export interface PageRequest {
  /** How many letters at most. Default 100. Range 1 to 1000. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

/** A part of a list. */
export interface LetterPage {
  readonly letters: readonly DeadLetter[];
  /** Where the next page begins; undefined at the end. */
  readonly next: string | undefined;
}

/** A letter, and the right to work on it. */
export interface Claim {
  readonly letter: DeadLetter;
  readonly token: string;
}

/** What a redrive met. */
export interface FurtherFailure {
  readonly error: ErrorDescription;
  readonly reason: StopReason;
  /** Milliseconds since 1970. */
  readonly failedAt: number;
  /** How many attempts the redrive made. */
  readonly attempts: number;
  readonly history: readonly LetterAttempt[];
  /** The letter is quarantined with this number of redrives. */
  readonly quarantineAfter: number;
}

/** What is in a store. */
export interface StoreStats {
  /** One row for each queue that has letters. */
  readonly queues: readonly QueueStats[];
  readonly letters: number;
  readonly bytes: number;
}

/** What is in a queue. A letter whose lease has ended counts as dead. */
export interface QueueStats extends Readonly<Record<LetterStateName, number>> {
  readonly queue: string;
  /** When the oldest letter that is dead or claimed died, in milliseconds since 1970; undefined where there is none. */
  readonly oldestDiedAt: number | undefined;
  readonly bytes: number;
}

/** There was no room in the store, and it does not drop letters to make some. */
export class DeadLetterStoreFullError extends Error {
  override readonly name: string = 'DeadLetterStoreFullError';
  readonly code = 'ERR_DEAD_LETTER_STORE_FULL';

  /** `limit` names the option that is reached. */
  constructor(limit: string) {
    super(`The store of dead letters is full: ${limit} is reached`);
  }
}
