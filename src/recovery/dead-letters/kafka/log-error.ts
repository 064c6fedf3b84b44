/** The log could not be used as a store of dead letters. `why` says what is the matter. */
export class DeadLetterLogError extends Error {
  override readonly name: string = 'DeadLetterLogError';
  readonly code = 'ERR_DEAD_LETTER_LOG';
  readonly why: LogTrouble;

  constructor(why: LogTrouble, topic: string) {
    super(`The log of dead letters ${JSON.stringify(topic)} ${WORDS[why]}`);
    this.why = why;
  }
}

/**
 * `timeout`: Kafka did not answer in time, and what was asked may have been done or not. `no_partition`: the topic has none.
 * `shorter`: records are gone from its end, so the topic was made anew, or an unclean leader was elected; open the store
 * again. `newer_version`: a newer version of the library has written changes that this one does not understand, so it only
 * puts and shows letters.
 */
export type LogTrouble = 'timeout' | 'no_partition' | 'shorter' | 'newer_version';

const WORDS: Readonly<Record<LogTrouble, string>> = {
  timeout: 'did not answer in time',
  no_partition: 'has no partition to write to',
  shorter: 'has lost records from its end',
  newer_version: 'was written by a newer version of this library',
};
