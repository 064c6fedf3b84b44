import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Shop } from './shop.ts';
import { closeServer } from './upstream.ts';
import type { UpstreamControl } from './upstream-control.ts';

/** The service that people would run: one page, eight calls behind it. */
export interface Service {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts `GET /checkout?order=N`, on the loopback interface unless DEMO_HOST names another. `PUT /upstream/outage`
 * breaks the upstream on purpose, `DELETE /upstream` leaves it to the course of events again.
 */
export async function startService(shop: Shop, control: UpstreamControl, port: number): Promise<Service> {
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://service');
    if (pathname === '/checkout') await answerCheckout(shop, searchParams.get('order') ?? '', response);
    else answerControl(control, `${request.method} ${pathname}`, response);
  });
  server.listen(port, process.env.DEMO_HOST || '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => closeServer(server) };
}

async function answerCheckout(shop: Shop, order: string, response: ServerResponse): Promise<void> {
  try {
    const page = await checkout(shop, order);
    response.end(JSON.stringify(page));
  } catch {
    // The library has logged why; the page can only say that it is sorry.
    response.statusCode = 502;
    response.end('{"error":"try again later"}');
  }
}

function answerControl(control: UpstreamControl, asked: string, response: ServerResponse): void {
  const phase = /^PUT \/upstream\/(\w+)$/.exec(asked)?.[1];
  if (asked === 'DELETE /upstream') control.release();
  else if (phase === undefined || !control.force(phase)) {
    response.writeHead(404).end('PUT /upstream/healthy, flaky, outage or recovery; DELETE /upstream\n');
    return;
  }
  response.end(`the upstream is in phase ${control.phase().name}\n`);
}

/** Whatever is missing, the page is shown without it; only the payment has to succeed. */
async function checkout(shop: Shop, order: string): Promise<object> {
  const sku = `sku-${order}`;
  const orNothing = (part: Promise<unknown>): Promise<unknown> => part.catch(() => null);
  const [inventory, price, shipping, recommendations] = await Promise.all([
    orNothing(shop.inventory(sku)),
    orNothing(shop.price(sku)),
    orNothing(shop.shipping(sku)),
    shop.recommendations(sku),
    shop.recordOrder(order),
  ]);
  const payment = await shop.placeOrder(`order-${order}`);
  void shop.mailReceipt(order);
  return { inventory, price, shipping, recommendations, payment };
}
