import type { Library } from '../../libraries/library.ts';
import { ioredis } from './ioredis.ts';
import { kafkajs } from './kafkajs.ts';
import { nodeRedis } from './node-redis.ts';
import { pg } from './pg.ts';
import { platformaticKafka } from './platformatic-kafka.ts';
import { undici } from './undici.ts';

/** The clients whose calls are retried where the policy file has a rule for them. */
export const SERVICES: readonly Library[] = [undici, pg, kafkajs, platformaticKafka, ioredis, nodeRedis];
