import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Shop } from './shop.ts';
import { closeServer } from './upstream.ts';

/** The service that people would run: one page, five calls to its upstream. */
export interface Service {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts `GET /checkout?order=N` on the loopback interface. */
export async function startService(shop: Shop): Promise<Service> {
  const server = createServer(async (request, response) => {
    const order = new URL(request.url ?? '/', 'http://service').searchParams.get('order') ?? '';
    try {
      const page = await checkout(shop, order);
      response.end(JSON.stringify(page));
    } catch {
      // The library has logged why; the page can only say that it is sorry.
      response.statusCode = 502;
      response.end('{"error":"try again later"}');
    }
  });
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => closeServer(server) };
}

async function checkout(shop: Shop, order: string): Promise<object> {
  const sku = `sku-${order}`;
  const [inventory, price, shipping, recommendations] = await Promise.all([
    shop.inventory(sku),
    shop.price(sku),
    shop.shipping(sku),
    shop.recommendations(sku).catch(() => []),
  ]);
  const payment = await shop.pay(`order-${order}`);
  return { inventory, price, shipping, recommendations, payment };
}
