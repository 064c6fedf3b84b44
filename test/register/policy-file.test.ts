import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePort } from '../support/free-port.ts';
import { type App, type AppRun, packageFolder, runApp, sdk } from './support/run-app.ts';

// Processes are started here, on machines that may be busy.
jest.setTimeout(60_000);
beforeAll(packageFolder, 60_000);

/** Fails twice, whoever asks, and then answers; and tells how often it was asked the same. */
let server: Server;
let requests: string[];
let url: string;
let failures: number;
beforeEach(async () => {
  requests = [];
  failures = 2;
  server = createServer((request: IncomingMessage, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.statusCode = requests.length > failures ? 200 : 503;
    response.setHeader('x-times', requests.filter(each => each === requests.at(-1)).length);
    request.resume().on('end', () => response.end('body'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const QUICK = { maxAttempts: 3, initialDelay: 1, maxDelay: 5 };
const RULE = { kind: 'http', host: '127.0.0.1', policy: QUICK };

function run(main: string, services: readonly object[] | undefined, more: Partial<App> = {}): Promise<AppRun> {
  const files = services === undefined ? {} : { 'retryscope.config.json': JSON.stringify({ services }) };
  return runApp({ main, files, ...more });
}

const SHOWN = 'report(spans().map(([name]) => name));';

describe('fetch', () => {
  const main = (): string => `${sdk('import')}startSdk(); report((await fetch('${url}/users/7')).status);${SHOWN}`;

  it('is left as it is without a policy file: no retry, no span', async () => {
    const { reported, stderr } = await run(`const before = fetch; ${main()}`, undefined);
    expect([reported, requests, stderr]).toEqual([[503, []], ['GET /users/7'], '']);
  });

  it('is retried by the rule of the policy file, with no change in the app', async () => {
    const { reported, stderr } = await run(main(), [RULE]);
    const attempts = Array(3).fill(`attempt GET ${url.slice('http://'.length)}`);
    expect([reported, stderr]).toEqual([[200, [...attempts, `retry GET ${url.slice('http://'.length)}`]], '']);
    expect(requests).toHaveLength(3);
  });

  it('is retried in a CommonJS module too', async () => {
    const app = { type: 'cjs', options: ['--import', 'retryscope/register'] } as const;
    await run(`fetch('${url}/users/7').then(response => report(response.status));`, [RULE], app);
    expect(requests).toHaveLength(3);
  });

  it('is retried by --require once the file has been read', async () => {
    failures = Infinity;
    // Nobody tells the app when that is: it asks until something that it asked has come three times.
    const main = `for (let i = 0, times; times !== '3'; i++) {
      const response = await fetch('${url}/' + i);
      await response.text();
      times = response.headers.get('x-times');
      if (times === '3') report(i);
    }`;
    const { reported, code } = await run(main, [RULE], { options: ['--require', 'retryscope/register'] });
    const [last] = reported as [number];
    expect([reported, code]).toEqual([[expect.any(Number)], 0]);
    expect(requests).toEqual([
      ...Array.from({ length: last }, (_, i) => `GET /${i}`),
      ...Array(3).fill(`GET /${last}`),
    ]);
  });

  it.each([
    ['of another host', { kind: 'http', host: 'localhost', policy: QUICK }],
    ['of another method', { kind: 'http', methods: ['PUT'], policy: QUICK }],
    ['of another route', { kind: 'http', route: '/orders/:id', policy: QUICK }],
  ])('is left alone by a rule %s', async (_what, rule) => {
    const { reported } = await run(main(), [rule]);
    expect([reported, requests]).toEqual([[503, []], ['GET /users/7']]);
  });

  it('takes the operation of the rule, and one attempt where it is to be observed only', async () => {
    const rule = { kind: 'http', route: '/users/:id', operation: 'load_user', policy: { maxAttempts: 1 } };
    const { reported } = await run(main(), [rule]);
    expect([reported, requests]).toEqual([[503, ['attempt load_user', 'retry load_user']], ['GET /users/7']]);
  });

  it('sends a POST once, as it has no key', async () => {
    await run(`report((await fetch('${url}', { method: 'POST', body: 'x' })).status);`, [RULE]);
    expect(requests).toEqual(['POST /']);
  });

  it('is left alone when disabled', async () => {
    const env = { RETRYSCOPE_INSTRUMENTATIONS_DISABLED: 'fetch' };
    await run(main(), [RULE], { env });
    expect(requests).toHaveLength(1);
  });

  it.each([
    [
      'a policy of the app',
      `import { retry } from 'retryscope';`,
      `retry(attempt, { operation: 'outer', maxAttempts: 2, initialDelay: 1 })`,
    ],
    ['a library that retries', `import pRetry from 'p-retry';`, `pRetry(attempt, { retries: 1, minTimeout: 1 })`],
  ])('is not retried inside an attempt of %s: the two would multiply', async (_what, load, call) => {
    failures = Infinity;
    await run(
      `${load}
       const attempt = async () => { const { ok } = await fetch('${url}'); if (!ok) throw new Error('x'); };
       await ${call}.catch(() => undefined);`,
      [RULE],
    );
    expect(requests).toHaveLength(2);
  });

  it('is not retried again by a layer around it that did not see it fail inside', async () => {
    failures = Infinity;
    const { reported } = await run(
      `import { retry, RetryPolicy, retrySummary } from 'retryscope';
       // A policy that watches its calls by itself is not known to be around the call.
       const policy = new RetryPolicy({ maxAttempts: 3, initialDelay: 1, observer: { call: () => undefined } });
       await policy.execute(() => fetch('http://127.0.0.1:${await freePort()}/')).catch(error => report(retrySummary(error).reason));`,
      [RULE],
    );
    expect(reported).toEqual(['already_retried']);
  });
});

describe("undici of npm's", () => {
  it.each([
    ['fetch, imported by name', `import { fetch } from 'undici';`, `fetch('URL')`, 'status'],
    ['fetch, imported whole', `import undici from 'undici';`, `undici.fetch('URL')`, 'status'],
    ['request', `import { request } from 'undici';`, `request('URL')`, 'statusCode'],
    [
      'request with options',
      `import { request } from 'undici';`,
      `request('URL', { method: 'PUT', body: 'x' })`,
      'statusCode',
    ],
  ])('%s is retried', async (_what, load, call, status) => {
    const { reported, stderr } = await run(
      `${load} const answer = await ${call.replace('URL', url)}; report(answer.${status});
       report(await (answer.text?.() ?? answer.body.text()));`,
      [RULE],
    );
    expect([reported, stderr]).toEqual([[200, 'body'], '']);
    expect(requests).toHaveLength(3);
  });

  it('request resolves with the last answer when it gives up, and that answer can be read', async () => {
    failures = Infinity;
    const { reported } = await run(
      `import { request } from 'undici';
       const { statusCode, body } = await request('${url}'); report([statusCode, await body.text()]);`,
      [RULE],
    );
    expect([reported, requests.length]).toEqual([[[503, 'body']], 3]);
  });

  it('request sends a POST and a stream once, and takes a callback as before', async () => {
    failures = Infinity;
    const { reported } = await run(
      `import { request } from 'undici';
       import { Readable } from 'node:stream';
       report((await request('${url}/post', { method: 'POST', body: 'x' })).statusCode);
       report((await request('${url}/stream', { method: 'PUT', body: Readable.from(['x']) })).statusCode);
       report(await new Promise(resolve => request('${url}/callback', {}, (error, answer) => resolve(answer.statusCode))));
       process.exit();`,
      [RULE],
    );
    expect([reported, requests]).toEqual([
      [503, 503, 503],
      ['POST /post', 'PUT /stream', 'GET /callback'],
    ]);
  });
});

describe('a policy file with a mistake in it', () => {
  it.each([
    ['{', /retryscope\.config\.json: it is not JSON/],
    ['{"services": [{"kind": "http", "policy": {"maxAtempts": 3}}]}', /maxAtempts/],
    ['{"services": [{"kind": "htp", "policy": {}}]}', /services\[0\]: kind is "htp"/],
  ])('%s is told, and the app runs without retries', async (text, message) => {
    const { reported, stderr, code } = await runApp({
      files: { 'retryscope.config.json': text },
      main: `report((await fetch('${url}')).status);`,
    });
    expect([reported, code, requests.length]).toEqual([[503], 0, 1]);
    expect(stderr).toMatch(message);
    expect(stderr).toContain('No service is retried');
  });

  it('is told when RETRYSCOPE_CONFIG names none', async () => {
    const { stderr, code } = await runApp({ env: { RETRYSCOPE_CONFIG: '/nowhere.json' }, main: '' });
    expect(stderr).toContain('/nowhere.json: it cannot be read: there is no such file');
    expect(code).toBe(0);
  });

  it('has no rules for gRPC that would be applied, which is told', async () => {
    const { stderr } = await run('', [{ kind: 'grpc', policy: QUICK }]);
    expect(stderr).toContain('rules of kind grpc are not applied by retryscope/register');
  });
});
