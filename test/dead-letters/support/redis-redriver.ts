import { Redis } from 'ioredis';
import { RedisDeadLetterStore } from '../../../src/recovery/dead-letters/redis/index.ts';
import { redriveAll } from './redrive-all.ts';

// A process that redrives until nothing is left.

const [url, keyPrefix, deliveries] = process.argv.slice(2) as [string, string, string];
const redis = new Redis(url, { lazyConnect: true });
await redis.connect();
await redriveAll(new RedisDeadLetterStore({ redis, keyPrefix }), deliveries);
redis.disconnect();
