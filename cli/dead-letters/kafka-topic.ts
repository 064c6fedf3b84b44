import { UnavailableError } from '../unavailable-error.ts';

/** What is needed of a `Kafka` of kafkajs to see which topics there are. */
export interface KafkaTopics {
  admin(config: object): { connect(): Promise<void>; listTopics(): Promise<string[]>; disconnect(): Promise<void> };
}

/**
 * Looks for the topic of a store in the list of all: to ask for one by its name may make it, where brokers do that.
 *
 * @throws UnavailableError when it is not there; what kafkajs throws
 */
export async function mustHaveTopic(kafka: KafkaTopics, topic: string, shown: string): Promise<void> {
  const admin = kafka.admin({ retry: FEW_RETRIES });
  try {
    await admin.connect();
    if (!(await admin.listTopics()).includes(topic)) throw new UnavailableError(`${shown}: there is no topic ${topic}`);
  } finally {
    admin.disconnect().catch(() => undefined);
  }
}

const FEW_RETRIES = { initialRetryTime: 100, maxRetryTime: 1000, retries: 4 };
