import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pRetry from 'p-retry';

/**
 * A service that knows nothing of us: each of its calls goes to another service over the loopback, by `fetch` in
 * p-retry, and never fails. Told `round` by the process that started it, it makes its calls and answers with what they
 * took of the processor, in milliseconds.
 */
const CALLS = 400;
const server = createServer((_request, response) => response.end('{"stock":3}')).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/stock`;

async function loadStock(): Promise<unknown> {
  const response = await fetch(url);
  return await response.json();
}

process.on('message', async () => {
  const start = process.cpuUsage();
  for (let i = 0; i < CALLS; i++) await pRetry(loadStock, { retries: 2 });
  const { user, system } = process.cpuUsage(start);
  process.send?.((user + system) / 1000);
});
process.send?.('ready');
