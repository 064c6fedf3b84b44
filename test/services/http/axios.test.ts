import { Agent } from 'node:http';
import { Readable } from 'node:stream';
import axios, { AxiosError, type AxiosInstance, CanceledError } from 'axios';
import axiosRetry from 'axios-retry';
import { retrySummary } from '../../../src/core.ts';
import {
  type AxiosResponseLike,
  BodyUsedError,
  type HttpRetryOptions,
  retryAxios,
} from '../../../src/services/http/index.ts';
import { until } from '../../redis/support/until.ts';
import { BREAK, type FlakyServer, startFlakyServer } from './support/flaky-server.ts';

const DOWN = { status: 503, body: 'down' };
const QUICK = { initialDelay: 1, budget: 'none' } as const;

describe('retryAxios', () => {
  let server: FlakyServer;
  beforeAll(async () => {
    server = await startFlakyServer();
  });
  beforeEach(() => {
    server.reset();
    server.replies = [DOWN, BREAK];
  });
  afterAll(() => server.end());

  const create = (options: HttpRetryOptions<AxiosResponseLike> = {}, config: object = {}): AxiosInstance =>
    retryAxios(axios.create({ baseURL: server.origin, ...config }), { ...QUICK, ...options });

  it('gives back the instance, and serves all its methods', async () => {
    const instance = axios.create({ baseURL: server.origin });
    expect(retryAxios(instance, QUICK)).toBe(instance);
    expect((await instance.get('/a')).data).toBe('fine');
    server.replies = [DOWN];
    expect((await instance('/b')).data).toBe('fine');
    server.replies = [DOWN];
    expect((await instance.put('/c', { x: 1 })).data).toBe('fine');
    expect(server.seen.map(({ url }) => url)).toEqual(['/a', '/a', '/a', '/b', '/b', '/c', '/c']);
    expect(server.seen.slice(-2).map(({ body }) => body)).toEqual(['{"x":1}', '{"x":1}']);
  });

  it('leaves other instances alone', async () => {
    create();
    await expect(axios.get(server.origin)).rejects.toMatchObject({ status: 503 });
  });

  it('runs interceptors and transforms once for each call', async () => {
    const instance = create();
    const calls: string[] = [];
    instance.interceptors.request.use(config => {
      calls.push('request');
      return config;
    });
    instance.interceptors.response.use(response => {
      calls.push('response');
      return response;
    });
    const transformResponse = (data: string): string => {
      calls.push('transform');
      return data.toUpperCase();
    };
    const { data } = await instance.get('/', { transformResponse });
    expect(data).toBe('FINE');
    expect(calls).toEqual(['request', 'transform', 'response']);
  });

  it('gives answers and errors that show the config of the call', async () => {
    const instance = create();
    const good = await instance.get('/good', { params: { a: 1 } });
    expect(good.config).toMatchObject({ url: '/good', params: { a: 1 }, baseURL: server.origin });
    server.otherwise = DOWN;
    const error = (await instance.get('/bad').catch(e => e)) as AxiosError;
    expect(error).toBeInstanceOf(AxiosError);
    expect(error.config).toMatchObject({ url: '/bad' });
    expect(error.response?.config).toBe(error.config);
    expect(error.response?.data).toBe('down');
    expect(retrySummary(error)).toMatchObject({ attempts: 3, reason: 'attempts_exhausted' });
  });

  it('lets an interceptor take away what the instance has by default', async () => {
    server.replies = [];
    const instance = create({}, { auth: { username: 'u', password: 'p' } });
    instance.interceptors.request.use(config => {
      delete config.auth;
      return config;
    });
    await instance.get('/');
    expect(server.seen[0]?.headers.authorization).toBeUndefined();
  });

  it('retries answers that validateStatus takes for good ones, and gives the last', async () => {
    const instance = create({}, { validateStatus: () => true });
    expect((await instance.get('/')).status).toBe(200);
    server.otherwise = DOWN;
    const response = await instance.get('/');
    expect([response.status, response.data]).toEqual([503, 'down']);
    expect(server.seen).toHaveLength(6);
  });

  it('takes an adapter that is a function', async () => {
    let count = 0;
    const adapter = jest.fn(async (config: unknown) => {
      count++;
      if (count < 3) throw new AxiosError('no', 'ECONNRESET');
      return { status: 200, statusText: '', headers: {}, data: 'made up', config, request: undefined };
    });
    const instance = create({}, { adapter });
    expect((await instance.get('/')).data).toBe('made up');
    expect(adapter).toHaveBeenCalledTimes(3);
  });

  it("retries axios' fetch adapter", async () => {
    const instance = create({}, { adapter: 'fetch' });
    expect((await instance.get('/')).data).toBe('fine');
    expect(server.seen).toHaveLength(3);
  });

  it('refuses an instance that retries already', () => {
    const instance = create();
    expect(() => retryAxios(instance)).toThrow(new TypeError('This axios instance retries already'));
  });

  it('refuses wrong options', () => {
    expect(() => retryAxios(axios.create(), { maxAttempt: 1 } as never)).toThrow('did you mean "maxAttempts"?');
  });

  it.each(['before', 'after'])('does not multiply with axios-retry that was put on the instance %s', async when => {
    const instance = axios.create({ baseURL: server.origin });
    if (when === 'before') axiosRetry(instance, { retries: 4 });
    retryAxios(instance, QUICK);
    if (when === 'after') axiosRetry(instance, { retries: 4 });
    server.otherwise = DOWN;
    await expect(instance.get('/')).rejects.toMatchObject({ status: 503 });
    await expect(instance.get('/', { 'axios-retry': { retries: 7 } })).rejects.toMatchObject({ status: 503 });
    expect(server.seen).toHaveLength(6);
  });

  describe('with streams as answers', () => {
    const get = (
      options: HttpRetryOptions<AxiosResponseLike> = {},
      config: object = {},
    ): Promise<{ status: number; data: Readable }> =>
      create(options, config).get('/', { responseType: 'stream', ...config });

    it.each([
      ['short', DOWN],
      ['long', { status: 503, body: Buffer.alloc(2_000_000) }],
    ])('frees the connection of a %s one before the wait', async (_, reply) => {
      server.replies = [reply];
      const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
      let wasFree = false;
      const onRetry = (): void => {
        void until(() => Object.keys(httpAgent.sockets).length === 0).then(() => {
          wasFree = true;
        });
      };
      const { data } = await get({ onRetry, initialDelay: 100, jitter: false }, { httpAgent });
      expect(wasFree).toBe(true);
      await expect(data.toArray()).resolves.toEqual([Buffer.from('fine')]);
      httpAgent.destroy();
    });

    it('leaves the last one readable', async () => {
      server.otherwise = DOWN;
      server.replies = [];
      const error = (await get().catch(e => e)) as AxiosError<Readable>;
      await expect(error.response?.data.toArray()).resolves.toEqual([Buffer.from('down')]);
    });

    it('lets the caller abort while it reads', async () => {
      server.replies = [
        (_, response) => {
          response.writeHead(200);
          response.write('begin');
        },
      ];
      const controller = new AbortController();
      const { data } = await get({}, { signal: controller.signal });
      const reading = data.toArray();
      controller.abort();
      await expect(reading).rejects.toMatchObject({ code: 'ERR_CANCELED' });
    });
  });

  it('sends a stream once, and refuses to send it again', async () => {
    const error = await create()
      .put('/', Readable.from(['text']), { maxRedirects: 0 })
      .catch(e => e);
    expect(error).toBeInstanceOf(BodyUsedError);
    expect((error as BodyUsedError).cause).toMatchObject({ status: 503 });
    expect(server.seen.map(({ body }) => body)).toEqual(['text']);
  });

  it('calls a function that makes the body for each attempt', async () => {
    const { data } = await create().put('/', () => Readable.from(['text']), { maxRedirects: 0 });
    expect(data).toBe('fine');
    expect(server.seen.map(({ body }) => body)).toEqual(['text', 'text', 'text']);
  });

  it.each([
    [
      'a signal',
      (): [object, () => void] => {
        const controller = new AbortController();
        return [{ signal: controller.signal }, () => controller.abort()];
      },
    ],
    [
      'a cancel token',
      () => {
        const source = axios.CancelToken.source();
        return [{ cancelToken: source.token }, () => source.cancel()];
      },
    ],
  ])("tells of an abort by %s in axios' own words, during a wait", async (_, make) => {
    const [config, abort] = (make as () => [object, () => void])();
    const call = create({ initialDelay: 60_000 }).get('/', config);
    void until(() => server.seen.length === 1).then(() => setTimeout(abort, 50));
    const error = await call.catch(e => e);
    expect(error).toBeInstanceOf(CanceledError);
    expect(axios.isCancel(error)).toBe(true);
    expect(server.seen).toHaveLength(1);
  });

  it('counts the timeout of axios for each attempt', async () => {
    server.replies = [() => undefined];
    // Long enough for an answer, also on a machine that is busy: the second attempt gets one.
    expect((await create({}, { timeout: 1000 }).get('/')).data).toBe('fine');
    expect(server.seen).toHaveLength(2);
  });
});
