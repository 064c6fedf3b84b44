import { Redis } from 'ioredis';
import { type Budget, CircuitBreaker, RetryBudget } from 'retryscope';
import { RedisBudget } from 'retryscope/budget-redis';

/** What keeps the retries of the shop from making an outage of its upstream worse. */
export interface ShopLimits {
  /** Pays for the retries of the catalogue: prices and stock. */
  readonly catalogue: Budget;
  /** Keeps payments from an upstream that is down. */
  readonly payments: CircuitBreaker;
  close(): void;
}

/** Makes the limits: the budget in the Redis at `redisUrl`, where there is one, else in this process. */
export function makeLimits(redisUrl: string | undefined): ShopLimits {
  const payments = new CircuitBreaker({
    name: 'payments',
    trip: { kind: 'time', failureRatio: 0.6, windowMs: 2000, minimum: 10 },
    openMs: 1500,
    probes: 2,
  });
  const options = { name: 'catalogue', ratio: 0.25, capacity: 40 };
  if (!redisUrl) return { catalogue: new RetryBudget(options), payments, close: () => undefined };
  const redis = new Redis(redisUrl);
  // The budget goes on without Redis and says so in its metrics; a client without a listener would end the process.
  redis.on('error', () => undefined);
  const catalogue = new RedisBudget({ ...options, redis });
  return {
    catalogue,
    payments,
    close: () => {
      catalogue.close();
      redis.disconnect();
    },
  };
}
