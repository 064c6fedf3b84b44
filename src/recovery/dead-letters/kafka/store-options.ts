import type { Clock } from '../../../engine/clock.ts';
import {
  type Check,
  checkBoolean,
  checkClock,
  checkOptions,
  milliseconds,
  ofType,
  withFunctions,
} from '../../../engine/option-checks.ts';
import { systemClock } from '../../../engine/system-clock.ts';
import { type Retention, readRetention } from '../retention.ts';
import type { DeadLetterLog } from './log.ts';

/** The options of a `KafkaDeadLetterStore`. */
export interface KafkaDeadLetterStoreOptions {
  /** The client: see `kafkajsLog`. The store closes it. */
  readonly log: DeadLetterLog;
  /**
   * The topic that is the store: letters, and what became of them. Make it with `cleanup.policy=delete` and a retention longer
   * than `maxAgeMs`, and never add partitions to it. Default `retryscope-dead-letters`. 1 to 249 characters of letters, digits
   * and `._-`.
   */
  readonly topic?: string;
  /**
   * Whether a letter whose source is known is copied to the topic of dead letters of that source as well, which has to be there.
   * The copies are for others to read; the store never looks at them, and what it deletes stays there. Default true.
   */
  readonly copyToSource?: boolean;
  /** What is put behind the topic of the source. Default `-dlt`, as in Spring Kafka. 1 to 249 such characters. */
  readonly topicSuffix?: string;
  /**
   * As in the other stores, but for `maxBytes`: default 64 MiB, range as there. The letters are held in memory, in each process that
   * opens the store, so this is about what it costs there.
   */
  readonly retention?: Retention;
  /** How long Kafka may take for each thing that is asked of it, in milliseconds. Default 10000. Range 1 to 2^31-1. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

/** What holds where an option is left out. */
export const KAFKA_STORE_DEFAULTS: Readonly<
  Required<Pick<KafkaDeadLetterStoreOptions, 'topic' | 'copyToSource' | 'topicSuffix' | 'timeoutMs'>>
> = Object.freeze({
  topic: 'retryscope-dead-letters',
  copyToSource: true,
  topicSuffix: '-dlt',
  timeoutMs: 10_000,
});

/** The options with what holds where they are left out. */
export interface KafkaStoreTerms extends Required<Omit<KafkaDeadLetterStoreOptions, 'retention'>> {
  readonly retention: Required<Retention>;
}

/** @throws TypeError or RangeError, naming the option, the value and what is allowed */
export function readStoreOptions(options: KafkaDeadLetterStoreOptions): KafkaStoreTerms {
  checkOptions('the options of a KafkaDeadLetterStore', options, CHECKS);
  CHECKS.log('log', options.log);
  const retention = { ...readRetention(options.retention), maxBytes: options.retention?.maxBytes ?? MAX_BYTES };
  return { clock: systemClock, ...KAFKA_STORE_DEFAULTS, ...definedOnly(options), retention };
}

/** Whether a topic can have such a name. */
export function isTopicName(name: string): boolean {
  return /^(?!\.{1,2}$)[\w.-]{1,249}$/.test(name);
}

const checkTopic = ofType(
  'a string of 1 to 249 letters, digits, dots, underscores and hyphens',
  v => typeof v === 'string',
  v => isTopicName(v as string),
);

const CHECKS: Readonly<Record<keyof KafkaDeadLetterStoreOptions, Check>> = {
  log: withFunctions('a DeadLetterLog, for example of kafkajsLog', 'append', 'tail', 'bounds', 'close'),
  topic: checkTopic,
  copyToSource: checkBoolean,
  topicSuffix: checkTopic,
  retention: () => undefined,
  timeoutMs: milliseconds(1),
  clock: checkClock,
};

const MAX_BYTES = 64 * 2 ** 20;

function definedOnly<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;
}
