import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes what is sent to it by OTLP over HTTP. */
export interface OtlpCollector {
  readonly endpoint: string;
  /** What came, in the order of its arrival. Names and attributes can be found in the text, whatever its encoding. */
  readonly received: readonly { readonly path: string; readonly text: string }[];
  end(): Promise<void>;
}

export async function startOtlpCollector(): Promise<OtlpCollector> {
  const received: { path: string; text: string }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      received.push({ path: String(request.url), text });
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    end: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
