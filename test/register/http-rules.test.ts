import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AppRun, packageFolder, runApp, sdk } from './support/run-app.ts';

// Processes are started here, on machines that may be busy.
jest.setTimeout(60_000);
beforeAll(packageFolder, 60_000);

/** Answers with 503 as often as it is told, and keeps what it was asked. */
let server: Server;
let requests: string[];
let url: string;
let failures: number;
beforeEach(async () => {
  requests = [];
  failures = Infinity;
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', text => {
      body += text;
    });
    request.on('end', () => {
      requests.push(`${request.method} ${request.url} ${body}`.trim());
      response.statusCode = requests.length > failures ? 200 : 503;
      response.end('body');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const RULE = { kind: 'http', policy: { maxAttempts: 3, initialDelay: 1, maxDelay: 5 } };

function run(main: string, rule: object | 'none' = RULE): Promise<AppRun> {
  return runApp({
    main,
    files: rule === 'none' ? {} : { 'retryscope.config.json': JSON.stringify({ services: [rule] }) },
  });
}

describe('a request inside a breaker of opossum', () => {
  const main = (call: string): string => `
    import CircuitBreaker from 'opossum';
    import pRetry from 'p-retry';
    report((await new CircuitBreaker(() => ${call}).fire()).status);
    process.exit();`;

  it('is retried by its rule, since the breaker retries nothing', async () => {
    failures = 2;
    const { reported } = await run(main(`fetch('${url}')`));
    expect([reported, requests.length]).toEqual([[200], 3]);
  });

  it('is left to a library that retries inside the breaker', async () => {
    const { reported } = await run(
      main(`pRetry(async () => { const { ok } = await fetch('${url}'); if (!ok) throw new Error('x'); }, { retries: 1, minTimeout: 1 })
        .catch(() => ({ status: 'failed' }))`),
    );
    expect([reported, requests.length]).toEqual([['failed'], 2]);
  });
});

describe('a request whose dispatcher retries', () => {
  const AGENT = (options = ''): string => `
    import { Agent, fetch as undiciFetch, request, RetryAgent, interceptors, setGlobalDispatcher } from 'undici';
    const options = { minTimeout: 1, timeoutFactor: 1, maxRetries: 3, ${options} };
    const agent = new RetryAgent(new Agent(), options);
    const composed = new Agent().compose(interceptors.retry(options));`;
  const CALLS: [name: string, call: string][] = [
    ['request of undici', `request('URL', { dispatcher: agent })`],
    ['request of undici with an interceptor', `request('URL', { dispatcher: composed })`],
    ['fetch of undici', `undiciFetch('URL', { dispatcher: agent })`],
    ['the global fetch with it as its global dispatcher', `(setGlobalDispatcher(agent), fetch('URL'))`],
  ];
  const TOLD = '.then(answer => report(answer.status ?? answer.statusCode), error => report(error.message));';

  it.each(CALLS)('is not retried above it: %s', async (_name, call) => {
    const { reported } = await run(`${AGENT()} await ${call.replace('URL', url)}${TOLD} process.exit();`);
    expect(requests).toHaveLength(4);
    expect(reported).toEqual([expect.stringMatching(/failed/i)]);
  });

  it.each(CALLS)('is not retried above it where the answer is passed on: %s', async (_name, call) => {
    const main = `${AGENT('throwOnError: false')} await ${call.replace('URL', url)}${TOLD} process.exit();`;
    const without = await run(main, 'none');
    const asked = requests.length;
    requests = [];
    const { reported } = await run(main);
    expect([reported, requests.length]).toEqual([without.reported, asked]);
    expect(reported).toEqual([503]);
  });

  it('is retried by the rule where the dispatcher does not retry it', async () => {
    const main = `${AGENT('statusCodes: [500]')} await ${CALLS[0]?.[1].replace('URL', url)}${TOLD} process.exit();`;
    await run(main);
    expect(requests).toHaveLength(3);
  });
});

describe('a request that passes through two clients which have rules', () => {
  it('is one call of the first, also where its rule allows one attempt', async () => {
    const rule = { ...RULE, policy: { maxAttempts: 1 } };
    const { reported } = await runApp({
      files: {
        'retryscope.config.json': JSON.stringify({ services: [rule] }),
        'fetch.mjs': `globalThis.fetch = async (...args) => (await import('undici')).fetch(...args);`,
      },
      options: ['--import', './fetch.mjs', '--import', 'retryscope/register'],
      main: `${sdk('import')} startSdk(); report((await fetch('${url}')).status); report(spans().map(([name]) => name.split(' ')[0]));`,
    });
    expect(reported).toEqual([503, ['attempt', 'retry']]);
  });
});

describe('a request that has a rule is what it would be without', () => {
  /** Each is run with and without the rule, and what comes of it is the same. */
  const CALLS: [what: string, call: string][] = [
    ['request, of something that is no URL', `request('nonsense')`],
    ['request, of a URL that is not of HTTP', `request('ftp://127.0.0.1/')`],
    ['request, without a URL', `request()`],
    ['request, with options that are none', `request('URL', 5)`],
    ['request, with an agent', `request('URL', { agent: {} })`],
    ['request, with a path beside a path', `request('URL/users', { path: '/users' })`],
    ['request, with a path that is none', `request('URL', { path: 5 })`],
    ['request, with a path', `request('URL', { path: 'users', method: 'POST', body: 'x' })`],
    ['request, of parts of a URL', `request({ ...PARTS, path: '/users', method: 'POST', body: 'x' })`],
    ['request, of parts of a URL and options', `request({ ...PARTS, path: '/users' }, { method: 'POST', body: 'x' })`],
    ['request, with options of a class', `request('URL', new (class { get method() { return 'DELETE'; } })())`],
    ['fetch, with a function for a body', `fetch('URL', { method: 'POST', body: () => 'x' })`],
    ['fetch, with options of a class', `fetch('URL', new (class { get method() { return 'DELETE'; } })())`],
    ['fetch, with a Request for options', `fetch('URL', new Request('URL', { method: 'POST', body: 'x' }))`],
    ['fetch, of something that is no URL', `fetch('nonsense')`],
  ];

  it.each(CALLS)('%s', async (_what, call) => {
    failures = 0;
    const { hostname, port } = new URL(url);
    const parts = JSON.stringify({ protocol: 'http:', hostname, port });
    const main = `
      import { request } from 'undici';
      let how = 'thrown';
      try {
        const promise = ${call.replaceAll('URL', url).replace('PARTS', parts)};
        how = 'promised';
        const answer = await promise;
        report([how, answer.status ?? answer.statusCode]);
      } catch (error) {
        report([how, error.name, error.message]);
      }
      process.exit();`;
    const without = await run(main, 'none');
    const asked = requests;
    requests = [];
    const { reported, stderr } = await run(main);
    expect([reported, stderr, requests]).toEqual([without.reported, '', asked]);
    expect(reported).toHaveLength(1);
  });

  it('and is retried in each form in which it may be given', async () => {
    const { hostname, port } = new URL(url);
    const main = `
      import { request } from 'undici';
      await request({ protocol: 'http:', hostname: '${hostname}', port: ${port}, path: '/parts', method: 'PUT', body: 'x' });
      await request('${url}', { path: 'path' });
      process.exit();`;
    await run(main, { ...RULE, host: '127.0.0.1' });
    expect(requests).toEqual([...Array(3).fill('PUT /parts x'), ...Array(3).fill('GET /path')]);
  });
});
