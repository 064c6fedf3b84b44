import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One alert of a message, and when it came. */
export interface Received {
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Of `performance.now()`, in milliseconds. */
  readonly at: number;
}

/** Somebody who is paged. */
export interface Webhook {
  readonly url: string;
  /** Everything that has come in so far. */
  readonly received: readonly Received[];
  close(): Promise<void>;
}

/** Starts a receiver for the Alertmanager's messages. */
export async function startWebhook(): Promise<Webhook> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const at = performance.now();
    const { receiver, alerts } = JSON.parse(body) as { receiver: string; alerts: Omit<Received, 'receiver' | 'at'>[] };
    for (const { status, labels, annotations } of alerts) received.push({ receiver, status, labels, annotations, at });
    response.end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    received,
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
