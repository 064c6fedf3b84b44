import { attempts, NonRetryableError, RetryPolicy, retry, retryWithBackoff, withRetry } from 'retryscope';
import type { ShopLimits } from './limits.ts';
import type { OrderBook } from './order-book.ts';
import type { Receipts } from './receipts.ts';
import { fetchJson } from './upstream-client.ts';

/** How long the page waits for its recommendations, in milliseconds. */
const PATIENCE_MS = 900;

/** What the service asks of its upstream: each operation in another form of the library. */
export class Shop {
  readonly #upstream: string;
  /** A policy that any number of calls share. */
  readonly #prices: RetryPolicy;
  readonly #orders: OrderBook | undefined;
  readonly #receipts: Receipts | undefined;

  /** Without `orders` they are not recorded, and without `receipts` none is mailed. */
  constructor(upstream: string, { catalogue, payments }: ShopLimits, orders?: OrderBook, receipts?: Receipts) {
    this.#upstream = upstream;
    this.#orders = orders;
    this.#receipts = receipts;
    this.#prices = new RetryPolicy({
      operation: 'price_quote',
      maxAttempts: 4,
      initialDelay: 100,
      maxDelay: 1500,
      attemptTimeout: 600,
      budget: catalogue,
    });
    this.inventory = withRetry(
      (sku: string) => fetchJson(`${upstream}/inventory/${sku}`, { signal: AbortSignal.timeout(500) }),
      { operation: 'inventory_lookup', maxAttempts: 3, initialDelay: 150, maxDelay: 1500, budget: catalogue },
    );
    this.#pay = retryWithBackoff({
      operation: 'payment_authorize',
      maxAttempts: 4,
      initialDelay: 200,
      maxDelay: 2000,
      breaker: payments,
    })((key: string) => {
      if (key === '') throw new NonRetryableError('A payment needs a key');
      const init = { method: 'POST', headers: { 'idempotency-key': key }, signal: AbortSignal.timeout(700) };
      return fetchJson(`${upstream}/payment`, init);
    });
  }

  /** A function that retries, made of one that does not. */
  readonly inventory: (sku: string) => Promise<unknown>;

  price(sku: string): Promise<unknown> {
    return this.#prices.execute(({ signal }) => fetchJson(`${this.#upstream}/price/${sku}`, { signal }));
  }

  /** A named operation: what it gives up is kept, and sent again later. */
  async recordOrder(id: string): Promise<unknown> {
    return this.#orders?.record({ id });
  }

  /** A call over long waits: nobody waits for it. */
  async mailReceipt(order: string): Promise<unknown> {
    return this.#receipts?.mail(order);
  }

  /** A retry around a retry: what the payment has given up is not tried again here. */
  placeOrder(key: string): Promise<unknown> {
    return retry(() => this.#pay(key), { operation: 'place_order', maxAttempts: 3, initialDelay: 200 });
  }

  /** Retried although it writes: the key tells the upstream that it is the same payment. */
  readonly #pay: (key: string) => Promise<unknown>;

  /** A loop over the attempts, bounded in time. */
  async shipping(sku: string): Promise<unknown> {
    const options = { operation: 'shipping_rates', maxAttempts: 6, initialDelay: 120, maxElapsed: 1600 };
    for await (const attempt of attempts(options)) {
      const result = await attempt.run(({ signal }) => fetchJson(`${this.#upstream}/shipping/${sku}`, { signal }));
      if (result.ok) return result.value;
    }
    return undefined;
  }

  /** A call that hedges slow attempts, and ends when its caller has lost patience: the page does without. */
  recommendations(sku: string): Promise<unknown> {
    const url = `${this.#upstream}/recommendations/${sku}`;
    return retry(({ signal }) => fetchJson(url, { signal }), {
      operation: 'recommendations',
      maxAttempts: 5,
      initialDelay: 200,
      hedge: 250,
      fallback: [],
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch(() => []);
  }
}
