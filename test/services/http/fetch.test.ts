import { Readable } from 'node:stream';
import { CircuitBreaker, RetryBudget, retrySummary } from '../../../src/core.ts';
import {
  BodyUsedError,
  createRetryFetch,
  type FetchRetryOptions,
  HttpStatusError,
  httpBudget,
  isHttpStatusError,
  RETRYABLE_STATUSES,
  retryFetch,
} from '../../../src/services/http/index.ts';
import { FakeClock, recordCalls } from '../../../src/testing/index.ts';
import { HOSTILE_VALUES } from '../../hostile/values.ts';
import { until } from '../../redis/support/until.ts';
import { settle } from '../../support/settle.ts';
import { type FlakyServer, OK, startFlakyServer } from './support/flaky-server.ts';

const URL_ = 'http://users.internal/users/7?token=s3cret';

/** A fetch that gives these answers in order, the last of them for ever. */
function answering(...answers: readonly (Response | Error | (() => Response))[]): jest.Mock<Promise<Response>> {
  let i = 0;
  return jest.fn(async () => {
    const answer = answers[Math.min(i++, answers.length - 1)] as Response | Error | (() => Response);
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? answer() : answer;
  });
}

const status = (code: number, headers: Record<string, string> = {}, body: string | null = 'no'): (() => Response) => {
  return () => new Response(code === 204 ? null : body, { status: code, headers });
};
const refused = (): Error => Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });

describe('retryFetch', () => {
  const clock = new FakeClock();
  const options = (more: FetchRetryOptions = {}): FetchRetryOptions => ({
    clock,
    jitter: false,
    budget: 'none',
    ...more,
  });
  beforeEach(() => {
    clock.sleeps.length = 0;
  });

  it('gives the very response that fetch gave', async () => {
    const response = new Response('fine');
    const call = retryFetch(URL_, {}, options({ fetch: answering(response) }));
    await expect(call).resolves.toBe(response);
  });

  it('gives the very last response when the attempts run out, unread, and tells of it', async () => {
    const last = new Response('last', { status: 503 });
    const fetch = answering(status(503), status(500), last);
    const settled = await settle(clock, retryFetch(URL_, {}, options({ fetch })));
    expect(settled).toEqual({ value: last });
    expect((settled as { value: Response }).value).toBe(last);
    await expect(last.text()).resolves.toBe('last');
    expect(retrySummary(last)).toMatchObject({ attempts: 3, reason: 'attempts_exhausted', totalDelayMs: 3000 });
    expect(clock.sleeps).toEqual([1000, 2000]);
  });

  it('gives the very error that fetch threw', async () => {
    const error = refused();
    const settled = await settle(clock, retryFetch(URL_, {}, options({ fetch: answering(error) })));
    expect((settled as { error: unknown }).error).toBe(error);
    expect(retrySummary(error)?.attempts).toBe(3);
  });

  it('reads or cancels the bodies of the answers that nobody gets', async () => {
    const small = new Response('small', { status: 503, headers: { 'content-length': '5' } });
    const unknown = new Response('unknown', { status: 503 });
    await settle(clock, retryFetch(URL_, {}, options({ fetch: answering(small, unknown, new Response('fine')) })));
    expect([small.bodyUsed, unknown.bodyUsed]).toEqual([true, true]);
  });

  const tooLong = 60 * 60 * 24;
  it.each([
    ['2', 2000],
    ['0', 1000],
    ['', 1000],
    ['-5', 1000],
    ['0x10', 1000],
    ['1e9', 1000],
    ['Infinity', 1000],
    ['NaN', 1000],
    ['1.5', 1000],
    ['9'.repeat(400), 1000],
    ['10,20', 1000],
    ['2026-11-23T00:00:00Z', 1000],
    ['Mon, 01 Jan 2024 00:00:05 GMT', 5000],
    ['Sat, 01 Jan 2000 00:00:00 GMT', 1000],
    ['2, 3', 3000],
    ['-5, 4', 4000],
    [String(tooLong), 'stop'],
    ['1000000000', 'stop'],
  ] as const)('makes of Retry-After %s: %s', async (header, wait) => {
    const fetch = answering(status(503, { 'retry-after': header }), status(200));
    const own = new FakeClock();
    const call = retryFetch(URL_, {}, options({ fetch, clock: own, maxDelay: 60_000 }));
    const { value } = (await settle(own, call)) as { value: Response };
    expect(own.sleeps).toEqual(wait === 'stop' ? [] : [wait]);
    expect(value.status).toBe(wait === 'stop' ? 503 : 200);
    expect(retrySummary(value)?.retryAfterMs).toBe(wait === 'stop' ? Number(header) * 1000 : undefined);
  });

  describe("with onHttpError: 'throw'", () => {
    const throwing = (more: FetchRetryOptions): FetchRetryOptions => options({ onHttpError: 'throw', ...more });

    it('throws an error with the status and the last answer', async () => {
      const settled = await settle(clock, retryFetch(URL_, {}, throwing({ fetch: answering(status(503)) })));
      const { error } = settled as { error: HttpStatusError };
      expect(error).toBeInstanceOf(HttpStatusError);
      expect(isHttpStatusError(error)).toBe(true);
      expect(error).toMatchObject({ status: 503, code: 'ERR_RETRY_HTTP_STATUS', name: 'HttpStatusError' });
      expect(error.message).toBe('GET users.internal was answered with status 503');
      await expect(error.response.text()).resolves.toBe('no');
      expect(retrySummary(error)).toMatchObject({ attempts: 3, reason: 'attempts_exhausted' });
    });

    it('throws for answers that are not worth another attempt, too', async () => {
      const fetch = answering(status(404));
      await expect(retryFetch(URL_, {}, throwing({ fetch }))).rejects.toMatchObject({ status: 404 });
      expect(fetch).toHaveBeenCalledTimes(1);
    });

    it('reads ahead what is short, so that an answer nobody looks at holds no connection', async () => {
      const response = new Response('short', { status: 404 });
      const error = await retryFetch(URL_, {}, throwing({ fetch: answering(response) })).catch(e => e);
      await until(() => response.bodyUsed);
      await expect((error as HttpStatusError).response.text()).resolves.toBe('short');
    });

    it('leaves a long answer to the caller, whole', async () => {
      const text = 'x'.repeat(300_000);
      const call = retryFetch(URL_, {}, throwing({ fetch: answering(status(404, {}, text)) }));
      const error = (await call.catch(e => e)) as HttpStatusError;
      expect((await error.response.text()).length).toBe(300_000);
    });
  });

  it('leaves errors alone that the fetch itself makes', async () => {
    const inner = createRetryFetch({ onHttpError: 'throw', maxAttempts: 1, fetch: answering(status(404)) });
    await expect(retryFetch(URL_, {}, options({ fetch: inner }))).rejects.toBeInstanceOf(HttpStatusError);
  });

  it('keeps an answer readable that has been read ahead, when a limit ends the call after the wait', async () => {
    const breaker = new CircuitBreaker({ name: 'users' });
    const fetch = answering(status(503, { 'content-length': '2' }));
    const call = retryFetch(URL_, {}, options({ fetch, breaker, onRetry: () => breaker.trip() }));
    const settled = await settle(clock, call);
    const response = (settled as { value: Response }).value;
    expect(response.status).toBe(503);
    expect(fetch).toHaveBeenCalledTimes(1);
    await expect(response.text()).resolves.toBe('no');
  });

  it.each([
    ['an invalid URL', Object.assign(new TypeError('Failed to parse URL'), { cause: { code: 'ERR_INVALID_URL' } })],
    ['a mistake', new TypeError('Request with GET/HEAD method cannot have body.')],
    ['a bad certificate', Object.assign(new TypeError('fetch failed'), { cause: { code: 'CERT_HAS_EXPIRED' } })],
    ['a wrong argument', Object.assign(new TypeError('fetch failed'), { cause: { code: 'UND_ERR_INVALID_ARG' } })],
  ])('does not repeat %s', async (_, error) => {
    const fetch = answering(error);
    await expect(retryFetch(URL_, {}, options({ fetch }))).rejects.toBe(error);
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(retrySummary(error)?.reason).toBe('not_retryable');
  });

  it.each(['ECONNRESET', 'ENOTFOUND', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT'])(
    'repeats %s',
    async code => {
      const fetch = answering(Object.assign(new TypeError('fetch failed'), { cause: { code } }), status(200));
      expect(await settle(clock, retryFetch(URL_, {}, options({ fetch })))).toMatchObject({ value: { status: 200 } });
    },
  );

  it('asks a retryOn of the caller, also for what lies beneath an error', async () => {
    const fetch = (): jest.Mock => answering(refused(), status(200));
    const call = (retryOn: string[]): Promise<Response> => retryFetch(URL_, {}, options({ fetch: fetch(), retryOn }));
    expect(await settle(clock, call(['ECONNREFUSED']))).toMatchObject({ value: { status: 200 } });
    expect(await settle(clock, call(['ECONNRESET']))).toHaveProperty('error');
  });

  it('names its calls by method and host, never by path', async () => {
    const observer = recordCalls();
    const fetch = answering(status(200));
    await retryFetch(URL_, {}, options({ fetch, observer }));
    await retryFetch(
      new URL('https://user:pw@api.example.com:8443/a'),
      { method: 'put' },
      options({ fetch, observer }),
    );
    await retryFetch(new Request(URL_, { method: 'DELETE' }), {}, options({ fetch, observer }));
    await retryFetch(URL_, { method: 'MADEUP' }, options({ fetch, observer }));
    await retryFetch('no url', {}, options({ fetch, observer }));
    await retryFetch(URL_, {}, options({ fetch, observer, operation: 'load_user' }));
    expect(observer.calls.map(({ info }) => info.operation)).toEqual([
      'GET users.internal',
      'PUT api.example.com:8443',
      'DELETE users.internal',
      '_OTHER users.internal',
      'GET',
      'load_user',
    ]);
  });

  it('tells observers of a failure, with its class', async () => {
    const observer = recordCalls();
    const fetch = answering(status(429), status(503), status(404));
    await settle(clock, retryFetch(URL_, {}, options({ fetch, observer, onHttpError: 'throw' })));
    const ends = observer.calls[0]?.attempts.map(({ end }) => end?.outcome === 'failure' && end.errorClass);
    expect(ends).toEqual(['throttled', 'transient', 'permanent']);
    expect(observer.calls[0]?.end).toMatchObject({ outcome: 'failure', reason: 'not_retryable' });
  });

  it('tells of a request that may not be repeated that it was not', async () => {
    const call = retryFetch(URL_, { method: 'POST' }, options({ fetch: answering(status(503)) }));
    expect(retrySummary(await call)).toMatchObject({ attempts: 1, reason: 'not_retryable' });
  });

  it('calls the onRetry of the caller', async () => {
    const onRetry = jest.fn();
    await settle(clock, retryFetch(URL_, {}, options({ fetch: answering(status(503), status(200)), onRetry })));
    expect(onRetry).toHaveBeenCalledWith(expect.objectContaining({ attempt: 1, delayMs: 1000 }));
  });

  it('gives what a fallback gives', async () => {
    const fallback = jest.fn(() => new Response('instead'));
    const settled = await settle(clock, retryFetch(URL_, {}, options({ fetch: answering(status(503)), fallback })));
    await expect((settled as { value: Response }).value.text()).resolves.toBe('instead');
  });

  it('leaves an answer readable that a fallback gives', async () => {
    const fallback = (error: unknown): Response => (error as HttpStatusError).response;
    const settled = await settle(clock, retryFetch(URL_, {}, options({ fetch: answering(status(503)), fallback })));
    await expect((settled as { value: Response }).value.text()).resolves.toBe('no');
  });

  it.each(HOSTILE_VALUES)('rejects with what fetch threw, whatever it is: %s', async (_, make) => {
    const value = make();
    const fetch = async (): Promise<Response> => {
      throw value;
    };
    for (const method of ['GET', 'POST']) {
      const settled = await settle(clock, retryFetch(URL_, { method }, options({ fetch, maxAttempts: 2 })));
      expect(Object.is((settled as { error: unknown }).error, value)).toBe(true);
    }
  });

  describe('the budget', () => {
    it('is one for the host where none is given', async () => {
      const budget = httpBudget('users.internal');
      const spent = budget.balance();
      await settle(clock, retryFetch(URL_, {}, { clock, fetch: answering(status(503), status(200)) }));
      await settle(clock, createRetryFetch({ clock, fetch: answering(status(503), status(200)) })(URL_));
      expect(budget.name).toBe('http users.internal');
      expect(budget.balance()).toBeCloseTo(spent - 2 + 0.2);
    });

    it('can be another', async () => {
      const budget = new RetryBudget({ capacity: 1, ratio: 0 });
      const fetch = answering(status(503));
      const settled = await settle(clock, retryFetch(URL_, {}, { clock, fetch, budget }));
      expect(fetch).toHaveBeenCalledTimes(2);
      expect(retrySummary((settled as { value: Response }).value)?.reason).toBe('budget_exhausted');
    });
  });

  describe('signals', () => {
    it('rejects with the reason of the caller, also during a wait', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const fetch = answering(status(503));
      const call = retryFetch(URL_, { signal: controller.signal }, options({ fetch, initialDelay: 60_000 }));
      void until(() => clock.pending > 0).then(() => controller.abort(reason));
      await expect(call).rejects.toBe(reason);
      expect(fetch).toHaveBeenCalledTimes(1);
    });

    it('heeds the signal of a Request, and of the options', async () => {
      const fetch = answering(status(200));
      const reason = new Error('enough');
      const signal = AbortSignal.abort(reason);
      await expect(retryFetch(new Request(URL_, { signal }), {}, options({ fetch }))).rejects.toBe(reason);
      await expect(retryFetch(URL_, {}, options({ fetch, signal }))).rejects.toBe(reason);
      await expect(retryFetch(URL_, { signal: new AbortController().signal }, options({ fetch, signal }))).rejects.toBe(
        reason,
      );
      expect(fetch).not.toHaveBeenCalled();
    });

    it.each<[string, FetchRetryOptions]>([
      ['attemptTimeout', { attemptTimeout: 1000 }],
      ['maxElapsed', { maxElapsed: 1000 }],
      ['deadline', { deadline: new Date('9999-12-31') }],
      ['hedge', { hedge: 1000 }],
      ['signal', { signal: new AbortController().signal }],
    ])('gives fetch a signal where %s may cut it off', async (_option, more) => {
      const fetch = answering(status(200));
      await retryFetch(URL_, {}, options({ fetch, ...more }));
      expect(fetch.mock.lastCall?.[1].signal).toBeInstanceOf(AbortSignal);
    });

    it('gives fetch none where nobody can abort it, and leaves it the null that takes that of a Request away', async () => {
      const fetch = answering(status(200));
      await retryFetch(URL_, { method: 'PUT' }, options({ fetch }));
      const request = new Request(URL_, { signal: AbortSignal.abort() });
      await retryFetch(request, { signal: null }, options({ fetch }));
      expect(fetch.mock.calls.map(([, init]) => init)).toEqual([{ method: 'PUT' }, { signal: null }]);
    });

    it('hands on what init inherits, as fetch itself reads it', async () => {
      const fetch = answering(status(200));
      const { signal } = new AbortController();
      class Init {
        get method(): string {
          return 'DELETE';
        }
        get headers(): Record<string, string> {
          return { 'x-a': '1' };
        }
      }
      await retryFetch(URL_, new Init(), options({ fetch }));
      await retryFetch(URL_, Object.create({ method: 'PUT', body: 'text', signal }), options({ fetch }));
      const [first, second] = fetch.mock.calls.map(([, init]) => init);
      expect(first).toEqual({ method: 'DELETE', headers: { 'x-a': '1' } });
      expect(second).toMatchObject({ method: 'PUT', body: 'text', signal: expect.any(AbortSignal) });
    });

    it('lets fetch refuse what is no signal', async () => {
      const call = retryFetch('http://127.0.0.1:1', { signal: 'no' as never }, options());
      await expect(call).rejects.toMatchObject({ name: 'TypeError' });
    });
  });

  it('hands the answer of a fetch that did not hear of the abort to nobody', async () => {
    const late = new Response('late');
    const fetch = jest.fn(() => new Promise<Response>(resolve => clock.timer(5000, () => resolve(late))));
    const call = retryFetch(URL_, {}, options({ fetch, attemptTimeout: 100, maxAttempts: 1 }));
    expect(await settle(clock, call)).toMatchObject({ error: { code: 'ERR_RETRY_ATTEMPT_TIMEOUT' } });
    await until(() => late.bodyUsed);
  });

  it('drops the answer of the attempt that a hedge was faster than', async () => {
    const slow = new Response('slow', { status: 503 });
    const fetch = jest
      .fn<Promise<Response>, []>()
      .mockImplementationOnce(() => new Promise(resolve => clock.timer(150, () => resolve(slow))))
      .mockImplementationOnce(() => new Promise(resolve => clock.timer(500, () => resolve(new Response('fine')))));
    const settled = await settle(clock, retryFetch(URL_, {}, options({ fetch, hedge: 100, maxAttempts: 2 })));
    await expect((settled as { value: Response }).value.text()).resolves.toBe('fine');
    expect(slow.bodyUsed).toBe(true);
  });

  it('hedges no request that may not be repeated', async () => {
    const fetch = jest.fn(
      () => new Promise<Response>(resolve => clock.timer(500, () => resolve(new Response('fine')))),
    );
    await settle(clock, retryFetch(URL_, { method: 'POST' }, options({ fetch, hedge: 100 })));
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('decides by the URL whom it tells the attempt', async () => {
    const fetch = answering(status(200));
    const propagate = (url: URL): boolean => url.hostname.endsWith('.internal');
    await retryFetch(URL_, {}, options({ fetch, propagate }));
    await retryFetch('http://elsewhere.example', {}, options({ fetch, propagate }));
    const hostile = (): boolean => {
      throw new Error('no');
    };
    await retryFetch(URL_, {}, options({ fetch, propagate: hostile }));
    const told = (fetch.mock.calls as unknown as [string, { headers?: [string, string][] }][]).map(([, init]) =>
      new Headers(init.headers).get('retry-attempt'),
    );
    expect(told).toEqual(['1; max=3', null, null]);
  });

  it.each([
    [{ statuses: [200] }, 'statuses[0] is 200; it must be an integer from 400 to 599'],
    [{ statuses: 503 }, 'statuses is 503; it must be a list of statuses'],
    [{ methods: ['get'] }, 'methods[0] is "get"; it must be an HTTP method in capitals, such as GET'],
    [{ methds: ['GET'] }, '"methds" is not an option; did you mean "methods"?'],
    [{ maxAttempt: 2 }, '"maxAttempt" is not an option; did you mean "maxAttempts"?'],
    [{ maxAttempts: 0 }, 'maxAttempts is 0; it must be an integer of 1 or more'],
    [
      { retries: 2 },
      'retries is not an option; maxAttempts counts every execution, the first included: retries 2 is maxAttempts 3',
    ],
    [{ budget: 'off' }, `budget is "off"; it must be a RetryBudget, an object with its functions, or 'none'`],
    [{ onHttpError: 'ignore' }, `onHttpError is "ignore"; it must be 'return' or 'throw'`],
    [{ onUsedBody: 1 }, `onUsedBody is 1; it must be 'throw' or 'stop'`],
    [{ idempotencyKey: true }, `idempotencyKey is true; it must be 'generate' or a function`],
    [{ propagate: 'yes' }, 'propagate is "yes"; it must be true, false or a function'],
    [{ fetch: 'node-fetch' }, 'fetch is "node-fetch"; it must be a function'],
    [{ retryOn: 7 }, 'retryOn is 7; it must be an error class, a code, a list of those, or a function'],
    [{ onRetry: 7 }, 'onRetry is 7; it must be a function'],
    [null, 'HTTP options are null; they must be an object'],
  ])('refuses the options %j', (wrong, message) => {
    expect(() => createRetryFetch(wrong as never)).toThrow(message);
    expect(() => retryFetch(URL_, {}, wrong as never)).toThrow(message);
  });

  it('tells its defaults', () => {
    expect(RETRYABLE_STATUSES).toEqual([408, 425, 429, 500, 502, 503, 504]);
    expect(Object.isFrozen(RETRYABLE_STATUSES)).toBe(true);
  });
});

describe('retryFetch and bodies', () => {
  let server: FlakyServer;
  beforeAll(async () => {
    server = await startFlakyServer();
  });
  beforeEach(() => {
    server.reset();
    server.replies = [{ status: 503, body: 'down' }, { status: 502 }];
  });
  afterAll(() => server.end());

  const quick = { initialDelay: 1, budget: 'none' } as const;
  const put = (body: unknown, more: FetchRetryOptions = {}): Promise<Response> =>
    retryFetch(server.origin, { method: 'PUT', body: body as never, duplex: 'half' } as never, { ...quick, ...more });
  const bodies = (): string[] => server.seen.map(({ body }) => body);

  it.each([
    ['a string', (): unknown => 'text'],
    ['a Buffer', () => Buffer.from('text')],
    ['a Uint8Array', () => new TextEncoder().encode('text')],
    ['an ArrayBuffer', () => new TextEncoder().encode('text').buffer],
    ['a Blob', () => new Blob(['te', 'xt'])],
    ['parameters', () => new URLSearchParams({ text: '' })],
    ['a function that makes a string', () => () => 'text'],
    ['a function that makes a stream', () => () => Readable.toWeb(Readable.from(['te', 'xt']))],
    ['a function that makes a promise', () => async () => new Blob(['text'])],
    [
      'an async generator function',
      () =>
        async function* () {
          yield Buffer.from('te');
          yield Buffer.from('xt');
        },
    ],
  ])('sends %s again, whole', async (_, make) => {
    expect((await put(make())).status).toBe(200);
    expect(bodies().map(body => body.replace('=', ''))).toEqual(['text', 'text', 'text']);
  });

  it('sends a form again, whole', async () => {
    const form = new FormData();
    form.set('name', 'value');
    form.set('file', new Blob(['content']), 'file.txt');
    expect((await put(form)).status).toBe(200);
    for (const body of bodies()) {
      expect(body).toContain('value');
      expect(body).toContain('content');
    }
    expect(bodies()).toHaveLength(3);
  });

  const oneShots: [string, () => unknown][] = [
    ['a ReadableStream', () => new Blob(['text']).stream()],
    ['a Readable', () => Readable.from([Buffer.from('text')])],
    [
      'an async generator',
      () =>
        (async function* () {
          yield Buffer.from('text');
        })(),
    ],
  ];

  it.each(oneShots)('sends %s once, and refuses to send it again', async (_, make) => {
    const error = (await put(make()).catch(e => e)) as BodyUsedError;
    expect(error).toBeInstanceOf(BodyUsedError);
    expect(error).toMatchObject({ code: 'ERR_RETRY_BODY_USED', name: 'BodyUsedError' });
    expect(error.message).toMatch(/^PUT 127.0.0.1:\d+ cannot be sent again: its body was a stream/);
    expect(error.cause).toMatchObject({ status: 503 });
    await expect((error.cause as HttpStatusError).response.text()).resolves.toBe('down');
    expect(retrySummary(error)).toMatchObject({ attempts: 1, reason: 'not_retryable' });
    expect(bodies()).toEqual(['text']);
  });

  it.each(oneShots)('gives the answer itself for %s on request', async (_, make) => {
    const response = await put(make(), { onUsedBody: 'stop' });
    expect(response.status).toBe(503);
    await expect(response.text()).resolves.toBe('down');
    expect(bodies()).toEqual(['text']);
  });

  it.each(oneShots)('says nothing of %s where all is well, or nothing would be repeated', async (_, make) => {
    server.replies = [OK];
    expect((await put(make())).status).toBe(200);
    server.replies = [{ status: 404 }, { status: 503 }];
    expect((await put(make())).status).toBe(404);
    expect((await put(make(), { maxAttempts: 1 })).status).toBe(503);
  });

  it('refuses a function that gives the same stream twice', async () => {
    const stream = new Blob(['text']).stream();
    await expect(put(() => stream)).rejects.toMatchObject({ code: 'ERR_RETRY_BODY_USED', cause: { status: 503 } });
    expect(bodies()).toEqual(['text']);
  });

  it('sends a Request with a body again, and uses it up as fetch does', async () => {
    const headers = { 'content-type': 'text/x-mine', 'idempotency-key': 'k' };
    const request = new Request(server.origin, { method: 'POST', body: 'text', headers });
    expect((await retryFetch(request, undefined, quick)).status).toBe(200);
    expect(server.seen.map(seen => [seen.body, seen.headers['content-type'], seen.headers['idempotency-key']])).toEqual(
      Array(3).fill(['text', 'text/x-mine', 'k']),
    );
    expect(request.bodyUsed).toBe(true);
    await expect(retryFetch(request, undefined, quick)).rejects.toMatchObject({ name: 'TypeError' });
    expect(server.seen).toHaveLength(3);
  });

  it('leaves no more of a Request than fetch does when all is well', async () => {
    server.replies = [];
    const request = new Request(server.origin, { method: 'PUT', body: 'text' });
    expect((await retryFetch(request, {}, quick)).status).toBe(200);
    expect(request.bodyUsed).toBe(true);
  });

  it('sends a Request again whose body init leaves as it is', async () => {
    const request = new Request(server.origin, { method: 'PUT', body: 'text' });
    expect((await retryFetch(request, { body: null }, quick)).status).toBe(200);
    expect(bodies()).toEqual(['text', 'text', 'text']);
  });

  it('takes what init says over what the Request says', async () => {
    const request = new Request(server.origin, { method: 'PUT', body: 'old', headers: { 'x-a': 'old' } });
    const init = { body: 'new', headers: { 'x-a': 'new' } };
    expect((await retryFetch(request, init, { ...quick, propagate: true })).status).toBe(200);
    expect(server.seen.map(({ body, headers }) => [body, headers['x-a']])).toEqual(Array(3).fill(['new', 'new']));
  });

  it('takes a Request in place of init, as fetch does', async () => {
    server.replies = [];
    const init = new Request('http://elsewhere.example', { method: 'PUT', body: 'text', headers: { 'x-a': 'b' } });
    expect((await retryFetch(server.origin, init as never, quick)).status).toBe(200);
    expect(server.seen[0]).toMatchObject({ method: 'PUT', body: 'text', headers: { 'x-a': 'b' } });
  });

  it('lets the caller abort while it reads the body', async () => {
    server.replies = [
      (_, response) => {
        response.writeHead(200);
        response.write('begin');
      },
    ];
    const controller = new AbortController();
    const response = await retryFetch(server.origin, { signal: controller.signal }, quick);
    const reading = response.text();
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });

  it('leaves the body of a good answer alone when the time for the attempt is over', async () => {
    const clock = new FakeClock();
    const end = Promise.withResolvers<void>();
    server.replies = [
      (_, response) => {
        response.writeHead(200);
        response.write('begin');
        void end.promise.then(() => response.end(' end'));
      },
    ];
    const response = await retryFetch(server.origin, {}, { ...quick, clock, attemptTimeout: 100, maxElapsed: 150 });
    await clock.advance(200);
    end.resolve();
    await expect(response.text()).resolves.toBe('begin end');
  });

  it('wakes nobody up when the server hangs in the middle of a failed answer', async () => {
    const clock = new FakeClock();
    server.replies = [
      (_, response) => {
        response.writeHead(503, { 'content-length': '100' });
        response.write('begin');
      },
    ];
    const call = retryFetch(server.origin, {}, { ...quick, clock });
    await until(() => clock.sleeps.length === 1);
    // The delay passes, and not what a body may take that is read to keep its connection.
    await clock.advance(clock.sleeps[0] ?? 0);
    expect((await call).status).toBe(200);
    expect(clock.elapsed).toBeLessThan(900);
  });
});
