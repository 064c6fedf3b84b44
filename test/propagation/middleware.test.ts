// Real servers and real sockets: what counts is what a client sees.
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import axios from 'axios';
import express from 'express';
import fastify from 'fastify';
import { retry, retrySummary } from '../../src/core.ts';
import {
  fastifyRetryAwareness,
  incomingRetry,
  type RetryAwarenessOptions,
  refuseRetries,
  retryAwareness,
  retryHeaders,
} from '../../src/limits/propagation/index.ts';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** A service that is aware of retries, and how to end it. */
interface Service {
  readonly url: string;
  end(): Promise<unknown>;
}

const quick = { initialDelay: 1, jitter: false } as const;

const SERVERS: readonly [string, (handle: Handle, options: RetryAwarenessOptions) => Promise<Service>][] = [
  [
    'node:http',
    async (handle, options) => {
      const aware = retryAwareness(options);
      return listen((request, response) => aware(request, response, () => handle(request, response)));
    },
  ],
  [
    'Express',
    async (handle, options) => {
      const app = express();
      app.use(retryAwareness(options));
      app.get('/', handle);
      return listen(app);
    },
  ],
  [
    'Fastify',
    async (handle, options) => {
      const app = fastify();
      app.register(fastifyRetryAwareness, { ...options, prefix: '/ignored' } as RetryAwarenessOptions);
      app.get('/', (request, reply) => {
        reply.hijack();
        handle(request.raw, reply.raw);
      });
      await app.listen({ host: '127.0.0.1', port: 0 });
      return { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/`, end: () => app.close() };
    },
  ],
];

async function listen(listener: RequestListener): Promise<Service> {
  const server: Server = createServer(listener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    end: () =>
      new Promise(resolve => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

let service: Service | undefined;
afterEach(() => service?.end());

describe.each(SERVERS)('%s', (_name, serve) => {
  it('knows which attempt it is asked by', async () => {
    const seen: unknown[] = [];
    service = await serve((request, response) => {
      seen.push(incomingRetry(request));
      response.statusCode = seen.length < 3 ? 503 : 200;
      response.end('done');
    }, {});
    const { url } = service;
    const answer = await retry(
      async attempt => {
        const response = await fetch(url, { headers: retryHeaders(attempt) });
        if (!response.ok) throw Object.assign(new Error('not yet'), { response });
        return response.text();
      },
      { ...quick, maxAttempts: 4 },
    );
    expect(answer).toBe('done');
    expect(seen).toEqual([1, 2, 3].map(attempt => ({ attempt, maxAttempts: 4, source: 'own' })));
    await fetch(url);
    expect(seen.at(-1)).toBeUndefined();
  });

  it('refuses attempts beyond its number, and the caller stops', async () => {
    const handle = jest.fn((_request: IncomingMessage, response: ServerResponse) => {
      response.statusCode = 500;
      response.end();
    });
    service = await serve(handle, { refuseAfter: 2 });
    const { url } = service;
    const error = await retry(attempt => axios.get(url, { headers: retryHeaders(attempt) }), {
      ...quick,
      maxAttempts: 10,
    }).catch(error => error);
    expect(error.response.status).toBe(503);
    expect(handle).toHaveBeenCalledTimes(2);
    expect(retrySummary(error)).toMatchObject({ reason: 'already_retried', attempts: 3 });
  });

  it('refuses retries, not first attempts, while it has too much to do', async () => {
    service = await serve((_request, response) => response.end('served'), { onOverload: () => true });
    const { url } = service;
    const status = async (headers: Record<string, string>): Promise<number> => (await fetch(url, { headers })).status;
    expect(await status({})).toBe(200);
    expect(await status({ 'retry-attempt': '1' })).toBe(200);
    expect(await status({ 'x-envoy-attempt-count': '2' })).toBe(503);
  });

  it('serves when it cannot tell whether it has', async () => {
    service = await serve((_request, response) => response.end(), {
      onOverload: () => {
        throw new Error('gauge');
      },
    });
    expect((await fetch(service.url, { headers: { 'retry-attempt': '2' } })).status).toBe(200);
  });

  it('says "do not retry" when a call of its own has given up, and only then', async () => {
    const calls = { bottom: 0, service: 0 };
    service = await serve((request, response) => {
      calls.service++;
      const bottom = (): never => {
        calls.bottom++;
        throw new Error('down');
      };
      const status = Number(new URL(request.url ?? '', 'http://x').searchParams.get('status') ?? 502);
      void retry(bottom, { ...quick, maxAttempts: 4 }).catch(() => {
        response.writeHead(status, { 'content-type': 'text/plain' });
        response.end('gave up');
      });
    }, {});
    const { url } = service;
    const outer = async (): Promise<never> => {
      const response = await fetch(url);
      throw Object.assign(new Error(`status ${response.status}`), { status: response.status, response });
    };
    const error = await retry(outer, { ...quick, maxAttempts: 4 }).catch(error => error);
    expect(calls).toEqual({ bottom: 4, service: 1 });
    expect(retrySummary(error)?.reason).toBe('already_retried');
    const response = await fetch(`${url}?status=200`);
    expect([response.headers.get('content-type'), response.headers.get('x-should-retry')]).toEqual([
      'text/plain',
      null,
    ]);
    const both = await retry(outer, { ...quick, maxAttempts: 2, nested: 'both' }).catch(error => error);
    expect(retrySummary(both)?.reason).toBe('not_retryable');
  });

  it('says nothing of a failure that it has not retried', async () => {
    service = await serve((_request, response) => {
      response.statusCode = 500;
      response.end();
    }, {});
    expect((await fetch(service.url)).headers.get('x-should-retry')).toBeNull();
  });
});

it.each([
  ['hints', true],
  ['no hints', false],
  ['hints of their own', () => undefined],
])(
  'makes four calls at the bottom of three services with %s that make four attempts each',
  async (_what, retryAfter) => {
    const calls = { front: 0, middle: 0, back: 0, bottom: 0 };
    const persistent = { ...quick, maxAttempts: 4, retryAfter };
    const ask = (url: string): Promise<unknown> =>
      retry(attempt => axios.get(url, { headers: retryHeaders(attempt) }), persistent);
    const serve = (name: keyof typeof calls, work: () => Promise<unknown>): Promise<Service> => {
      const aware = retryAwareness();
      return listen((request, response) =>
        aware(request, response, async () => {
          calls[name]++;
          response.statusCode = await work().then(
            () => 200,
            () => 502,
          );
          response.end();
        }),
      );
    };
    const back = await serve('back', () =>
      retry(() => {
        calls.bottom++;
        throw new Error('down');
      }, persistent),
    );
    const middle = await serve('middle', () => ask(back.url));
    service = await serve('front', () => ask(middle.url));
    const error = await ask(service.url).catch(error => error);
    expect(calls).toEqual({ front: 1, middle: 1, back: 1, bottom: 4 });
    expect(retrySummary(error)).toMatchObject({ attempts: 1, reason: 'already_retried' });
    await Promise.all([back.end(), middle.end()]);
  },
);

describe('a request with a body', () => {
  const giveUp = (): Promise<unknown> => retry(() => Promise.reject(new Error('down')), quick).catch(() => undefined);
  const post = async (url: string): Promise<unknown[]> => {
    const body = JSON.stringify({ long: 'x'.repeat(1_000_000) });
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return [response.status, response.headers.get('retry-stop')];
  };

  it('is one in Express, behind its parser', async () => {
    const app = express();
    app.use(retryAwareness(), express.json({ limit: '10mb' }));
    app.post('/', async (_request, response) => {
      await giveUp();
      response.status(502).json({});
    });
    service = await listen(app);
    expect(await post(service.url)).toEqual([502, 'already_retried']);
  });

  it('is one in Fastify, behind its parser', async () => {
    const app = fastify({ bodyLimit: 10_000_000 });
    app.register(fastifyRetryAwareness, {});
    app.post('/', async (_request, reply) => {
      await giveUp();
      return reply.code(502).send({});
    });
    service = { url: await app.listen({ host: '127.0.0.1', port: 0 }), end: () => app.close() };
    expect(await post(service.url)).toEqual([502, 'already_retried']);
  });

  it('is one in node:http; what starts in an event of it has to say so itself', async () => {
    const aware = retryAwareness();
    service = await listen((request, response) =>
      aware(request, response, async () => {
        request.resume();
        request.on('end', async () => {
          await giveUp();
          refuseRetries(response);
          response.statusCode = 502;
          response.end();
        });
      }),
    );
    expect(await post(service.url)).toEqual([502, 'already_retried']);
  });
});

it('is known to another copy of the package too', () => {
  const request = { headers: { 'retry-attempt': '2' } } as unknown as IncomingMessage;
  jest.isolateModules(() => {
    const other = require('../../src/limits/propagation/index.ts');
    other.retryAwareness()(request, {} as ServerResponse, () => undefined);
  });
  expect(incomingRetry(request)).toEqual({ attempt: 2, maxAttempts: undefined, source: 'own' });
});

it('tells two requests that are served at the same time apart', async () => {
  const gate = Promise.withResolvers<void>();
  const aware = retryAwareness();
  service = await listen((request, response) =>
    aware(request, response, async () => {
      if (request.url === '/fails')
        await retry(() => Promise.reject(new Error('x')), quick).catch(() => gate.resolve());
      else await gate.promise;
      response.statusCode = 500;
      response.end();
    }),
  );
  const [fails, waits] = await Promise.all([fetch(`${service.url}fails`), fetch(`${service.url}waits`)]);
  expect([fails, waits].map(({ headers }) => headers.get('retry-stop'))).toEqual(['already_retried', null]);
});

it('leaves a response alone whose headers are on their way', async () => {
  service = await listen((_request, response) => {
    response.write('sent');
    refuseRetries(response);
    response.end();
  });
  expect((await fetch(service.url)).headers.get('retry-stop')).toBeNull();
});

it.each([
  [{ refuseAfter: 0 }, 'refuseAfter is 0; it must be an integer from 1 to 1000'],
  [{ onOverload: true }, 'onOverload is true; it must be a function'],
  [{ refuse: 3 }, '"refuse" is not an option'],
])('refuses %j', async (options, message) => {
  expect(() => retryAwareness(options as never)).toThrow(message);
  const app = fastify();
  app.register(fastifyRetryAwareness, options as never);
  if (!('refuse' in options)) await expect(app.ready().then(() => undefined)).rejects.toThrow(message);
  await app.close();
});
