// What real clients throw when a real server asks for patience, or not to be asked again.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import axios from 'axios';
import { readRetryAfter } from '../../src/engine/retry-after.ts';
import { saysAlreadyRetried, saysRetry } from '../../src/engine/server-hints.ts';
import { systemClock } from '../../src/engine/system-clock.ts';

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const headers = new URL(request.url ?? '', 'http://x').searchParams;
    for (const [name, value] of headers) response.setHeader(name, value);
    response.statusCode = 503;
    response.end('busy');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(
  () =>
    new Promise(resolve => {
      server.close(resolve);
      server.closeAllConnections();
    }),
);

/** What each client hands to its caller for an answer with status 503. */
const CLIENTS: readonly [string, (address: string) => Promise<unknown>][] = [
  ['fetch, the response', address => fetch(address)],
  [
    'fetch, an error with the response',
    async address => Object.assign(new Error('x'), { response: await fetch(address) }),
  ],
  ['axios', address => axios.get(address).catch(error => error)],
  [
    'node:http',
    address =>
      new Promise((resolve, reject) => {
        require('node:http')
          .get(address, (response: NodeJS.ReadableStream) => {
            response.resume();
            resolve(Object.assign(new Error('x'), { response }));
          })
          .on('error', reject);
      }),
  ],
];

describe.each(CLIENTS)('%s', (_name, ask) => {
  it.each<[string, number | undefined]>([
    ['retry-after=7', 7000],
    ['retry-after-ms=250', 250],
    ['x-ms-retry-after-ms=250', 250],
    ['x-amz-retry-after=250', 250],
    ['ratelimit-reset=9', 9000],
    ['x-ratelimit-reset=9', 9000],
    ['x-should-retry=false', Infinity],
    ['retry-after=soon', undefined],
    ['', undefined],
  ])('hears %s', async (query, expected) => {
    expect(readRetryAfter(await ask(`${url}?${query}`), systemClock)).toBe(expected);
  });

  it('hears what is said of retries', async () => {
    expect(saysRetry(await ask(`${url}?x-should-retry=true`))).toBe(true);
    expect(saysAlreadyRetried(await ask(`${url}?retry-stop=already_retried`))).toBe(true);
    expect(saysAlreadyRetried(await ask(`${url}?retry-stop=other`))).toBe(false);
  });
});

describe('gRPC', () => {
  it.each<[string[], number | undefined]>([
    [['1500'], 1500],
    [['-1'], Infinity],
    [['soon'], Infinity],
    [['1', '2'], Infinity],
    [[], undefined],
  ])('hears a pushback of %j', async (values, expected) => {
    const service = new grpc.Server();
    const method = {
      path: '/test.Test/Get',
      requestStream: false,
      responseStream: false,
      requestSerialize: (value: Buffer) => value,
      requestDeserialize: (value: Buffer) => value,
      responseSerialize: (value: Buffer) => value,
      responseDeserialize: (value: Buffer) => value,
    };
    service.addService({ get: method } as never, {
      get: (_call: unknown, answer: (error: object) => void) => {
        const metadata = new grpc.Metadata();
        for (const value of values) metadata.add('grpc-retry-pushback-ms', value);
        answer({ code: grpc.status.UNAVAILABLE, details: 'busy', metadata });
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      service.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    // The client would act on the pushback by itself.
    const options = { 'grpc.enable_retries': 0 };
    const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), options);
    const error = await new Promise(resolve => {
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        Buffer.from(''),
        resolve,
      );
    });
    client.close();
    service.forceShutdown();
    expect(error).toMatchObject({ code: grpc.status.UNAVAILABLE });
    expect(readRetryAfter(error, systemClock)).toBe(expected);
  });
});
