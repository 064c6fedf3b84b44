import { Readable } from 'node:stream';
import got, { type Got } from 'got';
import { retrySummary } from '../../../../src/core.ts';
import { BodyUsedError, retryGot } from '../../../../src/services/http/index.ts';
import type { TestOutcome, TestRequest } from './clients.ts';

/** The process of got-worker.ts: sends what it is told, and runs scenarios. */
const QUICK = { initialDelay: 1, budget: 'none' } as const;

async function send({ url, method = 'GET', headers, body, options }: TestRequest): Promise<TestOutcome> {
  const client = retryGot(got, { ...QUICK, ...options });
  try {
    const response = await client(url, {
      method: method as 'GET',
      ...(headers && { headers }),
      ...(body !== undefined && { body }),
    });
    return { status: response.statusCode, body: response.body };
  } catch (error) {
    const { name, code, response } = error as {
      name: string;
      code?: string;
      response?: { statusCode: number; body: string };
    };
    return {
      status: response?.statusCode,
      body: response?.body,
      error: { name, code },
      reason: retrySummary(error)?.reason,
    };
  }
}

const scenarios: Record<string, (origin: string) => Promise<unknown>> = {
  json: async origin => (retryGot(got, QUICK).get(`${origin}/json`) as ReturnType<Got['get']>).json(),
  bodyOnly: async origin => retryGot(got.extend({ resolveBodyOnly: true }), QUICK).get(`${origin}/json`),
  bodyOnlyJson: async origin =>
    retryGot(got.extend({ resolveBodyOnly: true }), QUICK)
      .get(`${origin}/json`)
      .json(),
  postJson: async origin =>
    retryGot(got, { ...QUICK, idempotencyKey: 'generate' })
      .post(`${origin}/json`, { json: { a: 1 } })
      .json(),
  noThrow: async origin => {
    const { statusCode } = await retryGot(got, QUICK).get(origin, { throwHttpErrors: false });
    return statusCode;
  },
  ownRetries: async origin => {
    const client = retryGot(
      got.extend({ retry: { limit: 5, enforceRetryRules: false, calculateDelay: () => 1 } }),
      QUICK,
    );
    return (await client.get(origin, { throwHttpErrors: false, retry: { limit: 7 } })).statusCode;
  },
  hooks: async origin => {
    const calls: string[] = [];
    const client = got.extend({
      hooks: {
        beforeRequest: [() => void calls.push('request')],
        afterResponse: [
          response => {
            calls.push('response');
            return response;
          },
        ],
      },
    });
    await retryGot(client, QUICK).get(origin);
    return calls;
  },
  abort: async origin => {
    const controller = new AbortController();
    const call = retryGot(got, { ...QUICK, initialDelay: 60_000 }).get(origin, { signal: controller.signal });
    setTimeout(() => controller.abort(), 100);
    return call.then(
      () => 'no error',
      (error: { name: string; code: string }) => [error.name, error.code],
    );
  },
  stream: async origin => {
    const client = retryGot(got, QUICK);
    const parts: string[] = [];
    for await (const part of client.stream(origin)) parts.push(String(part));
    return parts.join('');
  },
  usedBody: async origin =>
    retryGot(got, QUICK)
      .put(origin, { body: Readable.from(['some']) })
      .then(
        () => 'no error',
        (error: unknown) => [
          error instanceof BodyUsedError,
          (error as BodyUsedError).message.includes(origin.slice(7)),
        ],
      ),
  twice: async () => {
    try {
      retryGot(retryGot(got));
      return 'no error';
    } catch (error) {
      return (error as Error).message;
    }
  },
};

interface Question {
  readonly id: number;
  readonly request?: TestRequest;
  readonly scenario?: string;
  readonly origin?: string;
}

process.on('message', async ({ id, request, scenario = '', origin = '' }: Question) => {
  try {
    const value = request === undefined ? await scenarios[scenario]?.(origin) : await send(request);
    process.send?.({ id, value });
  } catch (error) {
    process.send?.({ id, error: String((error as Error).stack) });
  }
});
process.on('disconnect', () => process.exit());
process.send?.({ id: 0 });
