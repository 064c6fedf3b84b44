import { type FlakyServer, startFlakyServer } from './support/flaky-server.ts';
import { type GotWorker, startGotWorker } from './support/got-worker.ts';

// A process is started here, on machines that may be busy.
jest.setTimeout(60_000);

describe('retryGot', () => {
  let server: FlakyServer;
  let worker: GotWorker;
  beforeAll(async () => {
    [server, worker] = await Promise.all([startFlakyServer(), startGotWorker()]);
  });
  beforeEach(() => {
    server.reset();
    server.replies = [
      { status: 503, body: 'down' },
      { status: 500, body: 'down' },
    ];
    server.otherwise = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"a":1}' };
  });
  afterAll(async () => {
    await worker.end();
    await server.end();
  });

  const run = (scenario: string): Promise<unknown> => worker.run(scenario, server.origin);

  it.each(['json', 'bodyOnlyJson', 'postJson'])('parses the last answer (%s)', async scenario => {
    await expect(run(scenario)).resolves.toEqual({ a: 1 });
    expect(server.seen).toHaveLength(3);
  });

  it('asks for JSON in every attempt of .json()', async () => {
    await run('json');
    expect(server.seen.map(({ headers }) => headers.accept)).toEqual(Array(3).fill('application/json'));
  });

  it('sends JSON again, whole', async () => {
    await run('postJson');
    expect(server.seen.map(({ body }) => body)).toEqual(Array(3).fill('{"a":1}'));
  });

  it('gives the body alone where the instance does', async () => {
    await expect(run('bodyOnly')).resolves.toBe('{"a":1}');
  });

  it('retries answers that the instance takes for good ones, and gives the last', async () => {
    await expect(run('noThrow')).resolves.toBe(200);
    server.otherwise = { status: 503 };
    await expect(run('noThrow')).resolves.toBe(503);
    expect(server.seen).toHaveLength(6);
  });

  it("switches off got's own retries, also those of a request", async () => {
    server.otherwise = { status: 503 };
    await expect(run('ownRetries')).resolves.toBe(503);
    expect(server.seen).toHaveLength(3);
  });

  it('runs hooks in each attempt', async () => {
    await expect(run('hooks')).resolves.toEqual(Array(3).fill(['request', 'response']).flat());
  });

  it("tells of an abort in got's own words, during a wait too", async () => {
    await expect(run('abort')).resolves.toEqual(['AbortError', 'ERR_ABORTED']);
    expect(server.seen).toHaveLength(1);
  });

  it('leaves streams to got', async () => {
    server.replies = [];
    await expect(run('stream')).resolves.toBe('{"a":1}');
  });

  it('refuses to send a stream again', async () => {
    await expect(run('usedBody')).resolves.toEqual([true, true]);
    expect(server.seen.map(({ body }) => body)).toEqual(['some']);
  });

  it('refuses an instance that retries already', async () => {
    await expect(run('twice')).resolves.toBe('This instance of got retries already');
  });
});
