import type { DeadLetter } from '../letter.ts';
import { entryOf, isHeld, LetterTable, letterAt, type TableEntry, unclaimed } from '../letter-table.ts';
import { ownerMark, withOwner } from '../past-owners.ts';
import { failedLetter, quarantinedLetter, redrivenLetter, revivedLetter } from '../transitions.ts';
import type { PartitionBounds } from './log.ts';
import type { LetterVersion, LogEvent } from './log-event.ts';

/** What is known of a letter of the log. */
export interface LogEntry extends TableEntry {
  readonly partition: number;
  /** The offset of its own record. */
  readonly born: bigint;
  /** The offset of the record that changed it last. */
  readonly version: string;
}

/** Where an event stands, and when it was written, in milliseconds since 1970. */
export interface EventPlace {
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: number;
}

/**
 * The letters that a log tells of. It depends on nothing but the records and their order, so every reader comes to the same:
 * of two claims the one that stands first in the log holds, and the other one changes nothing.
 */
export class Projection {
  readonly table: LetterTable<LogEntry> = new LetterTable<LogEntry>();
  readonly #lows = new Map<number, bigint>();

  /** Applies an event, and gives the letters that it changed as they are now; those that it deleted, as they were. */
  apply(event: LogEvent, place: EventPlace): readonly DeadLetter[] {
    switch (event.event) {
      case 'put':
        return this.#put(event.letter, event.bytes, place);
      case 'claim':
      case 'revive':
      case 'purge':
        return event.letters.flatMap(version => this.#changeVersion(version, event, place));
      default:
        return this.#changeHeld(event, place);
    }
  }

  /** Forgets the letters whose records the broker has deleted: nobody who starts now knows of them. */
  forgetBelow({ partition, low }: PartitionBounds): void {
    if ((this.#lows.get(partition) ?? 0n) >= low) return;
    this.#lows.set(partition, low);
    const gone = [...this.table.oldestFirst()].filter(entry => entry.partition === partition && entry.born < low);
    for (const entry of gone) this.table.delete(entry);
  }

  #put(letter: DeadLetter, bytes: number, { partition, offset }: EventPlace): readonly DeadLetter[] {
    if (this.table.get(letter.id) !== undefined) return [];
    this.table.set({ letter, bytes, partition, born: offset, version: `${offset}` });
    return [letter];
  }

  #changeVersion(
    [id, version]: LetterVersion,
    event: Extract<LogEvent, { letters: unknown }>,
    { partition, offset, timestamp }: EventPlace,
  ): readonly DeadLetter[] {
    const entry = this.table.get(id);
    if (entry === undefined || entry.partition !== partition || entry.version !== version) return [];
    const { letter } = entry;
    if (event.event === 'revive') {
      return letter.state.is === 'quarantined' ? this.#set(entry, offset, revivedLetter(letter)) : [];
    }
    if (isHeld(entry, timestamp)) return [];
    if (event.event === 'purge') {
      this.table.delete(entry);
      return [letter];
    }
    if (letterAt(entry, timestamp).state.is !== 'dead') return [];
    const { nonce: token, owner, leaseMs } = event;
    const state = { is: 'claimed', owner, until: timestamp + Math.ceil(leaseMs) } as const;
    const claimed = Object.freeze<DeadLetter>({ ...letter, state });
    const owners = withOwner(entry.owners ?? '', ownerMark(owner));
    this.table.set({ ...entry, letter: claimed, token, owners, version: `${offset}` });
    return [claimed];
  }

  #changeHeld(
    event: Extract<LogEvent, { token: string }>,
    { partition, offset, timestamp }: EventPlace,
  ): readonly DeadLetter[] {
    const entry = this.table.get(event.id);
    if (entry === undefined || entry.partition !== partition || entry.token !== event.token) return [];
    const { letter } = entry;
    switch (event.event) {
      case 'renew': {
        const owner = letter.state.is === 'claimed' ? letter.state.owner : '';
        const state = { is: 'claimed', owner, until: timestamp + Math.ceil(event.leaseMs) } as const;
        const renewed = Object.freeze<DeadLetter>({ ...letter, state });
        this.table.set({ ...entry, letter: renewed, version: `${offset}` });
        return [renewed];
      }
      case 'release': {
        const released = unclaimed(letter);
        this.table.set({ ...entry, letter: released, token: undefined, version: `${offset}` });
        return [released];
      }
      case 'complete':
        return this.#set(entry, offset, redrivenLetter(letter, timestamp), entry.owners);
      case 'fail':
        return this.#set(entry, offset, failedLetter(letter, event.failure), entry.owners);
      default:
        return this.#set(entry, offset, quarantinedLetter(letter, timestamp, event.why), entry.owners);
    }
  }

  #set({ partition, born }: LogEntry, offset: bigint, changed: DeadLetter, owners?: string): readonly DeadLetter[] {
    const entry = { ...entryOf(changed), partition, born, version: `${offset}`, owners };
    this.table.set(entry);
    return [entry.letter];
  }
}
