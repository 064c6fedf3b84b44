import { attempts, NonRetryableError, RetryPolicy, retry, retryWithBackoff, withRetry } from 'retryscope';
import { fetchJson } from './upstream-client.ts';

/** How long the page waits for its recommendations, in milliseconds. */
const PATIENCE_MS = 900;

/** What the service asks of its upstream: each operation in another form of the library. */
export class Shop {
  readonly #upstream: string;
  /** A policy that any number of calls share. */
  readonly #prices = new RetryPolicy({
    operation: 'price_quote',
    maxAttempts: 4,
    initialDelay: 100,
    maxDelay: 1500,
    attemptTimeout: 600,
  });

  constructor(upstream: string) {
    this.#upstream = upstream;
  }

  /** A function that retries, made of one that does not. */
  inventory: (sku: string) => Promise<unknown> = withRetry(
    (sku: string) => fetchJson(`${this.#upstream}/inventory/${sku}`, { signal: AbortSignal.timeout(500) }),
    { operation: 'inventory_lookup', maxAttempts: 3, initialDelay: 150, maxDelay: 1500 },
  );

  price(sku: string): Promise<unknown> {
    return this.#prices.execute(({ signal }) => fetchJson(`${this.#upstream}/price/${sku}`, { signal }));
  }

  /** Retried although it writes: the key tells the upstream that it is the same payment. */
  pay: (key: string) => Promise<unknown> = retryWithBackoff({
    operation: 'payment_authorize',
    maxAttempts: 4,
    initialDelay: 200,
    maxDelay: 2000,
  })((key: string) => {
    if (key === '') throw new NonRetryableError('A payment needs a key');
    const init = { method: 'POST', headers: { 'idempotency-key': key }, signal: AbortSignal.timeout(700) };
    return fetchJson(`${this.#upstream}/payment`, init);
  });

  /** A loop over the attempts, bounded in time. */
  async shipping(sku: string): Promise<unknown> {
    const options = { operation: 'shipping_rates', maxAttempts: 6, initialDelay: 120, maxElapsed: 1600 };
    for await (const attempt of attempts(options)) {
      const result = await attempt.run(({ signal }) => fetchJson(`${this.#upstream}/shipping/${sku}`, { signal }));
      if (result.ok) return result.value;
    }
    return undefined;
  }

  /** A call that ends when its caller has lost patience. */
  recommendations(sku: string): Promise<unknown> {
    const url = `${this.#upstream}/recommendations/${sku}`;
    return retry(({ signal }) => fetchJson(url, { signal }), {
      operation: 'recommendations',
      maxAttempts: 5,
      initialDelay: 200,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  }
}
