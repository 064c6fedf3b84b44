import { type AppRun, packageFolder, runApp, sdk } from './support/run-app.ts';

// Processes are started here, on machines that may be busy.
jest.setTimeout(120_000);
beforeAll(packageFolder, 60_000);

/** Lets each library fail once and succeed in its second attempt; a breaker makes one attempt, a client of Redis none. */
const EACH = `
  const work = () => { let calls = 0; return async () => { if (++calls === 1) throw Object.assign(new Error('x'), { code: 'ECONNRESET' }); return 1; }; };
  let answers = 0;
  const server = createServer((request, response) => {
    request.resume();
    response.statusCode = ++answers === 1 ? 503 : 200;
    response.setHeader('content-type', request.method === 'POST' ? 'text/xml' : 'text/plain');
    response.end(request.method !== 'POST' ? 'ok' : '<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>');
  });
  const main = async () => {
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
    const url = 'http://127.0.0.1:' + server.address().port;
    const client = axios.create();
    axiosRetry(client, { retries: 2, retryDelay: () => 1 });
    const scenarios = {
      'p-retry': () => pRetry(work(), { minTimeout: 1 }),
      'async-retry': () => asyncRetry(work(), { minTimeout: 1 }),
      retry: () => new Promise(resolve => {
        const operation = retry.operation({ minTimeout: 1 });
        const once = work();
        operation.attempt(() => once().then(value => { operation.retry(); resolve(value); }, error => operation.retry(error)));
      }),
      'exponential-backoff': () => backOff(work(), { startingDelay: 1 }),
      cockatiel: () => cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2, backoff: new cockatiel.ConstantBackoff(1) }).execute(work()),
      opossum: () => new CircuitBreaker(work(), { name: 'ledger' }).fire().catch(() => undefined),
      got: () => got(url, { retry: { limit: 2, backoffLimit: 1 } }),
      'axios-retry': () => client.get(url),
      undici: async () => (await new undici.RetryAgent(new undici.Agent(), { minTimeout: 1, maxRetries: 2 }).request({ origin: url, path: '/', method: 'GET' })).body.text(),
      'aws-sdk': () => new STSClient({ region: 'eu-central-1', endpoint: url, maxAttempts: 2, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }).send(new GetCallerIdentityCommand({})),
      kafkajs: async () => { await new Kafka({ brokers: ['127.0.0.1:1'], logLevel: 0, retry: { retries: 1, initialRetryTime: 1 } }).admin().connect().catch(() => undefined); },
      ioredis: () => new Promise(resolve => {
        const redis = new Redis({ port: 1, host: '127.0.0.1', retryStrategy: times => times === 1 ? 1 : null, maxRetriesPerRequest: 0 });
        redis.on('error', () => undefined).on('end', resolve);
      }),
    };
    for (const [name, scenario] of Object.entries(scenarios)) {
      answers = 0;
      exporter.reset();
      await scenario();
      report([name, exporter.getFinishedSpans().map(span => span.name.split(' ')[0]).sort().join(' ')]);
    }
    process.exit();
  };`;

const IMPORTED = `
  import { createServer } from 'node:http';
  import pRetry from 'p-retry';
  import asyncRetry from 'async-retry';
  import retry from 'retry';
  import { backOff } from 'exponential-backoff';
  import * as cockatiel from 'cockatiel';
  import CircuitBreaker from 'opossum';
  import got from 'got';
  import axios from 'axios';
  import axiosRetry from 'axios-retry';
  import * as undici from 'undici';
  import { STSClient, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
  import { Kafka } from 'kafkajs';
  import Redis from 'ioredis';
  ${sdk('import')} startSdk(); ${EACH} await main();`;
const REQUIRED = `
  const { createServer } = require('node:http');
  const { default: pRetry } = require('p-retry');
  const asyncRetry = require('async-retry');
  const retry = require('retry');
  const { backOff } = require('exponential-backoff');
  const cockatiel = require('cockatiel');
  const loaded = require('opossum');
  const CircuitBreaker = loaded.default ?? loaded;
  const { default: got } = require('got');
  const axios = require('axios');
  const { default: axiosRetry } = require('axios-retry');
  const undici = require('undici');
  const { STSClient, GetCallerIdentityCommand } = require('@aws-sdk/client-sts');
  const { Kafka } = require('kafkajs');
  const Redis = require('ioredis');
  ${sdk('require')} startSdk(); ${EACH} main();`;

describe.each<[string, () => Promise<AppRun>]>([
  ['an ES module', () => runApp({ main: IMPORTED })],
  ['a CommonJS module', () => runApp({ type: 'cjs', main: REQUIRED })],
])('register in %s', (_kind, run) => {
  it('shows the attempts of every library', async () => {
    const { reported, stderr } = await run();
    const two = 'attempt attempt retry';
    expect(Object.fromEntries(reported as [string, string][])).toEqual({
      'p-retry': two,
      'async-retry': two,
      retry: two,
      'exponential-backoff': two,
      cockatiel: two,
      opossum: 'attempt retry',
      got: two,
      'axios-retry': two,
      undici: two,
      'aws-sdk': two,
      kafkajs: two,
      ioredis: two,
    });
    expect(stderr).not.toContain('Retryscope');
  });
});
