import { CLIENTS, endClients } from './support/clients.ts';
import { BREAK, type FlakyServer, startFlakyServer } from './support/flaky-server.ts';

// A process is started here, on machines that may be busy.
jest.setTimeout(60_000);

let server: FlakyServer;
let other: FlakyServer;
beforeAll(async () => {
  server = await startFlakyServer();
  other = await startFlakyServer();
});
beforeEach(() => {
  server.reset();
  other.reset();
});
afterAll(async () => {
  await endClients();
  await server.end();
  await other.end();
});

const DOWN = { status: 503, body: 'down' };
const KEY = 'idempotency-key';

describe.each(CLIENTS)('$name', ({ send }) => {
  it('is asked again until the answer is good', async () => {
    server.replies = [DOWN, { status: 429, headers: { 'retry-after': '0' } }];
    const outcome = await send({ url: `${server.origin}/rates` });
    expect(outcome).toMatchObject({ status: 200, body: 'fine' });
    expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(Array(3).fill('GET /rates'));
  });

  it.each([408, 425, 429, 500, 502, 503, 504])('asks again after status %i', async status => {
    server.replies = [{ status }];
    expect(await send({ url: server.origin })).toMatchObject({ status: 200 });
    expect(server.seen).toHaveLength(2);
  });

  it.each([400, 401, 404, 409, 422, 501, 505])('takes status %i for an answer', async status => {
    server.otherwise = { status, body: 'no' };
    expect(await send({ url: server.origin })).toMatchObject({ status, body: 'no' });
    expect(server.seen).toHaveLength(1);
  });

  it('takes the statuses that it is given', async () => {
    server.replies = [{ status: 404 }];
    expect(await send({ url: server.origin, options: { statuses: [404] } })).toMatchObject({ status: 200 });
    server.replies = [DOWN];
    expect(await send({ url: server.origin, options: { statuses: [404] } })).toMatchObject({ status: 503 });
  });

  it('gives the last answer, with its body, when the attempts run out', async () => {
    server.otherwise = DOWN;
    expect(await send({ url: server.origin })).toMatchObject({ status: 503, body: 'down' });
    expect(server.seen).toHaveLength(3);
  });

  it('asks again when the connection breaks', async () => {
    server.replies = [BREAK, BREAK];
    expect(await send({ url: server.origin })).toMatchObject({ status: 200, body: 'fine' });
    expect(server.seen).toHaveLength(3);
  });

  it('gives its own error when nobody listens', async () => {
    const { error, status } = await send({ url: 'http://127.0.0.1:1' });
    expect(status).toBeUndefined();
    expect(['TypeError', 'AxiosError', 'Error', 'RequestError']).toContain(error?.name);
  });

  it('sends a PUT again with the same body', async () => {
    server.replies = [DOWN, BREAK];
    expect(await send({ url: server.origin, method: 'PUT', body: 'the body' })).toMatchObject({ status: 200 });
    expect(server.seen.map(({ body }) => body)).toEqual(Array(3).fill('the body'));
  });

  it.each(['POST', 'PATCH'])('sends a %s once', async method => {
    server.otherwise = DOWN;
    expect(await send({ url: server.origin, method, body: 'x' })).toMatchObject({ status: 503, body: 'down' });
    server.otherwise = BREAK;
    const { error } = await send({ url: server.origin, method, body: 'x' });
    expect(error).toBeDefined();
    expect(server.seen).toHaveLength(2);
  });

  it.each(['POST', 'PATCH'])('sends a %s with a key again, always with that key', async method => {
    server.replies = [DOWN, BREAK];
    const outcome = await send({ url: server.origin, method, body: 'x', headers: { 'Idempotency-Key': 'k-1' } });
    expect(outcome).toMatchObject({ status: 200 });
    expect(server.seen.map(({ headers, body }) => [headers[KEY], body])).toEqual(Array(3).fill(['k-1', 'x']));
  });

  it('makes a key on request, one for all attempts of a call', async () => {
    server.replies = [DOWN, DOWN];
    const request = { url: server.origin, method: 'POST', body: 'x', options: { idempotencyKey: 'generate' } } as const;
    expect(await send(request)).toMatchObject({ status: 200 });
    expect(await send(request)).toMatchObject({ status: 200 });
    const keys = server.seen.map(({ headers }) => String(headers[KEY]));
    expect(keys).toHaveLength(4);
    expect(new Set(keys.slice(0, 3)).size).toBe(1);
    expect(new Set(keys).size).toBe(2);
    expect(keys[0]).toMatch(/^[\da-f-]{36}$/);
  });

  it('makes no key for a GET, and leaves the one that is there', async () => {
    await send({ url: server.origin, options: { idempotencyKey: 'generate' } });
    const headers = { 'idempotency-key': 'mine' };
    await send({ url: server.origin, method: 'POST', headers, options: { idempotencyKey: 'generate' } });
    expect(server.seen.map(seen => seen.headers[KEY])).toEqual([undefined, 'mine']);
  });

  it('sends a POST again when it is told to', async () => {
    server.replies = [DOWN];
    const request = { url: server.origin, method: 'POST', body: 'x', options: { methods: ['POST'] } };
    expect(await send(request)).toMatchObject({ status: 200 });
    expect(server.seen.map(({ body }) => body)).toEqual(['x', 'x']);
  });

  it('stops when the server asks for more time than the policy has', async () => {
    server.otherwise = { status: 503, headers: { 'retry-after': '3600' } };
    expect(await send({ url: server.origin, options: { maxDelay: 1000 } })).toMatchObject({ status: 503 });
    expect(server.seen).toHaveLength(1);
  });

  it('hears x-should-retry, both ways', async () => {
    server.replies = [{ status: 409, headers: { 'x-should-retry': 'true' } }];
    expect(await send({ url: server.origin })).toMatchObject({ status: 200 });
    server.reset();
    server.otherwise = { status: 503, headers: { 'x-should-retry': 'false' } };
    expect(await send({ url: server.origin })).toMatchObject({ status: 503 });
    expect(server.seen).toHaveLength(1);
  });

  it('tells the server which attempt it is, on request only', async () => {
    server.replies = [DOWN];
    await send({ url: server.origin, options: { propagate: true } });
    await send({ url: server.origin });
    expect(server.seen.map(({ headers }) => headers['retry-attempt'])).toEqual(['1; max=3', '2; max=3', undefined]);
  });

  it('keeps the headers of the request beside those that are added', async () => {
    server.replies = [DOWN];
    await send({ url: server.origin, headers: { 'x-mine': 'yes' }, options: { propagate: true } });
    expect(server.seen.map(({ headers }) => headers['x-mine'])).toEqual(['yes', 'yes']);
  });

  it('begins anew behind a redirect, and takes no credentials to another origin', async () => {
    server.otherwise = {
      status: 302,
      headers: { location: `${other.origin.replace('127.0.0.1', 'localhost')}/there` },
    };
    other.replies = [DOWN, DOWN];
    const headers = { authorization: 'Bearer s3cret', cookie: 'sid=s3cret', 'x-mine': 'yes' };
    expect(await send({ url: `${server.origin}/here`, headers })).toMatchObject({ status: 200, body: 'fine' });
    expect(server.seen.map(({ url }) => url)).toEqual(['/here', '/here', '/here']);
    expect(server.seen.map(seen => seen.headers.authorization)).toEqual(Array(3).fill('Bearer s3cret'));
    expect(other.seen.map(({ url }) => url)).toEqual(['/there', '/there', '/there']);
    expect(JSON.stringify(other.seen)).not.toContain('s3cret');
  });

  it('aborts an attempt that takes too long, and asks again', async () => {
    server.replies = [() => undefined];
    // Long enough for an answer, also on a machine that is busy: the second attempt gets one.
    expect(await send({ url: server.origin, options: { attemptTimeout: 1000 } })).toMatchObject({ status: 200 });
    expect(server.seen).toHaveLength(2);
  });

  it('does not ask again with a URL that is none', async () => {
    const { error } = await send({ url: 'nonsense' });
    expect(error).toBeDefined();
  });
});
