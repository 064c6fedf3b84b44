import type { DeadLetter } from '../letter.ts';
import { writeLetter } from '../letter-text.ts';
import { letterHeaders } from './letter-headers.ts';
import type { DeadLetterLog } from './log.ts';
import { DeadLetterLogError } from './log-error.ts';
import { RecentIds } from './recent-ids.ts';
import { isTopicName } from './store-options.ts';

/**
 * Copies letters to the topics of dead letters of their sources, for whoever reads those in Spring's way: into the partition
 * of the same number, or any other where there is none such. The key is the letter's id.
 */
export class SourceCopies {
  readonly #log: DeadLetterLog;
  readonly #topicSuffix: string;
  /** Letters whose copies Kafka has not taken yet. */
  readonly #owed = new RecentIds();

  constructor(log: DeadLetterLog, topicSuffix: string) {
    this.#log = log;
    this.#topicSuffix = topicSuffix;
  }

  /** Notes that a letter is about to be stored. Its copy is then made by whichever put comes to that first. */
  owe(letter: DeadLetter): void {
    if (this.#topicOf(letter) !== undefined) this.#owed.add(letter.id);
  }

  /** Makes the copy of a letter, if it is owed. */
  async make(letter: DeadLetter, now: number): Promise<void> {
    const topic = this.#topicOf(letter);
    if (topic === undefined || !this.#owed.has(letter.id)) return;
    await this.#write(letter, topic, Math.floor(now));
    this.#owed.delete(letter.id);
  }

  async #write(letter: DeadLetter, topic: string, timestamp: number): Promise<void> {
    const partition = letter.source?.partition;
    const record = { key: letter.id, value: writeLetter(letter), headers: letterHeaders(letter), timestamp };
    const isPinned = partition !== undefined && Number.isInteger(partition) && partition >= 0;
    if (isPinned && (await this.#log.append(topic, { ...record, partition })) === 'appended') return;
    if ((await this.#log.append(topic, { ...record, partition: undefined })) === 'appended') return;
    throw new DeadLetterLogError('no_partition', topic);
  }

  /** Undefined too where no topic can have such a name. */
  #topicOf({ source }: DeadLetter): string | undefined {
    const topic = source === undefined ? '' : `${source.topic}${this.#topicSuffix}`;
    return isTopicName(topic) ? topic : undefined;
  }
}
