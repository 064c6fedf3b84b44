import { Agent, fetch as npmFetch } from 'undici';
import { createRetryFetch, type FetchRetryOptions, HttpStatusError } from '../../../src/services/http/index.ts';
import { until } from '../../redis/support/until.ts';
import { type FlakyServer, type Reply, startFlakyServer } from './support/flaky-server.ts';

// Hundreds of megabytes go over real sockets, on machines that may be busy.
jest.setTimeout(60_000);

const CONNECTIONS = 50;
const CALLS = 250;

/** Kinds of bodies that a failing server sends. */
const BODIES: readonly [name: string, reply: Reply][] = [
  ['none', { status: 503 }],
  ['short', { status: 503, body: 'x'.repeat(1000) }],
  ['100 kB', { status: 503, body: 'x'.repeat(100_000) }],
  ['2 MB', { status: 503, body: Buffer.alloc(2_000_000) }],
  [
    'of unknown length',
    (_, response) => {
      response.writeHead(503);
      response.write('some');
      response.end('thing');
    },
  ],
  [
    'without an end',
    (_, response) => {
      response.writeHead(503);
      response.write('some');
    },
  ],
];

describe(`a pool of ${CONNECTIONS} connections, ${CALLS} calls and a server that fails`, () => {
  let server: FlakyServer;
  let dispatcher: Agent;
  beforeAll(async () => {
    server = await startFlakyServer();
  });
  beforeEach(() => {
    server.reset();
    dispatcher = new Agent({ connections: CONNECTIONS });
  });
  afterEach(() => dispatcher.destroy());
  afterAll(() => server.end());

  const call = (options: FetchRetryOptions): ReturnType<typeof npmFetch> =>
    createRetryFetch({ initialDelay: 1, budget: 'none', ...options, fetch: npmFetch })(server.origin, { dispatcher });
  const callAll = (options: FetchRetryOptions): Promise<PromiseSettledResult<Response>[]> =>
    Promise.allSettled(Array.from({ length: CALLS }, () => call(options)));

  it.each(BODIES)('never stalls on bodies: %s', async (_, reply) => {
    server.replies = Array.from({ length: CALLS }, () => reply);
    const ends = await callAll({});
    const statuses = ends.map(end => end.status === 'fulfilled' && end.value.status);
    expect(statuses).toEqual(Array(CALLS).fill(200));
    expect(server.seen.length).toBe(2 * CALLS);
    await Promise.all(ends.map(end => end.status === 'fulfilled' && end.value.text()));
  });

  it.each(BODIES)('lets other calls through while all of its first callers wait, with bodies: %s', async (_, reply) => {
    server.replies = Array.from({ length: CONNECTIONS }, () => reply);
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = Array.from({ length: CONNECTIONS }, () => call({ initialDelay: 60_000, signal }).catch(e => e));
    await until(() => server.seen.length === CONNECTIONS);
    const response = await call({ signal: AbortSignal.timeout(5000) });
    expect(response.status).toBe(200);
    controller.abort();
    await Promise.all(waiting);
    expect(server.seen.length).toBe(CONNECTIONS + 1);
  });

  it('keeps its connections where bodies are short', async () => {
    server.replies = Array.from({ length: CALLS }, () => ({ status: 503, body: 'short' }));
    await callAll({});
    expect(server.connections).toBeLessThanOrEqual(CONNECTIONS);
  });

  it('never stalls when every call fails and nobody reads the answers within the errors', async () => {
    server.otherwise = { status: 503, body: 'x'.repeat(1000) };
    const ends = await callAll({ onHttpError: 'throw', maxAttempts: 2 });
    for (const end of ends) expect(end).toMatchObject({ status: 'rejected', reason: expect.any(HttpStatusError) });
    expect(server.seen.length).toBe(2 * CALLS);
  });
});
