import { asyncRetry } from './async-retry.ts';
import { axiosOfRetry, axiosRetry } from './axios-retry.ts';
import { cockatiel } from './cockatiel.ts';
import { exponentialBackoff } from './exponential-backoff.ts';
import { got } from './got.ts';
import { ioredis } from './ioredis.ts';
import { kafkajs } from './kafkajs.ts';
import type { Library } from './library.ts';
import { opossum } from './opossum.ts';
import { pRetry } from './p-retry.ts';
import { retry } from './retry.ts';
import { smithyCore, smithyMiddleware } from './smithy.ts';
import { undici } from './undici.ts';

/** The libraries whose own retries are shown as calls and attempts of ours. */
export const LIBRARIES: readonly Library[] = [
  pRetry,
  asyncRetry,
  retry,
  exponentialBackoff,
  cockatiel,
  opossum,
  got,
  axiosRetry,
  axiosOfRetry,
  undici,
  smithyCore,
  smithyMiddleware,
  kafkajs,
  ioredis,
];
