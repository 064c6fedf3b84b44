import {
  InterceptingCall,
  type Interceptor,
  Metadata,
  type ServiceError,
  status as Status,
  type StatusObject,
} from '@grpc/grpc-js';
import { CircuitBreaker, RetryBudget, retry, retrySummary } from 'retryscope/core';
import { FakeClock, recordCalls } from 'retryscope/testing';
import { type GrpcRetryOptions, grpcRetryInterceptor } from '../../../src/services/grpc/index.ts';
import { until } from '../../redis/support/until.ts';
import { freePort } from '../../support/free-port.ts';
import { connect, type EchoClient, type EchoServer, startEchoServer } from './echo-server.ts';

// Real servers on real time, on machines that may be busy.
jest.setTimeout(30_000);

let server: EchoServer;
const ends: (() => void)[] = [];
beforeEach(async () => {
  server = await startEchoServer();
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
  server.end();
});

const ALL: GrpcRetryOptions = { methods: 'all', initialDelay: 1, maxDelay: 500, jitter: false, budget: 'none' };

function client(options: GrpcRetryOptions = ALL, more: object = {}, port = server.port): EchoClient {
  const made = connect(port, { interceptors: [grpcRetryInterceptor(options)], ...more });
  ends.push(() => made.close());
  return made;
}

type Outcome = { readonly value: string } | { readonly error: ServiceError & { readonly cause?: unknown } };

function get(from: EchoClient, options: object = {}, metadata = new Metadata()): Promise<Outcome> {
  return new Promise(resolve => {
    from.get(Buffer.from('!'), metadata, options, (error, value) => {
      resolve(error === null ? { value: String(value) } : { error });
    });
  });
}

const errorOf = (outcome: Outcome): ServiceError & { readonly cause?: unknown } => {
  if ('value' in outcome) throw new Error(`there is a value: ${outcome.value}`);
  return outcome.error;
};

/** Fails so many times with this status, and then answers. */
const failing =
  (times: number, code: number, more: object = {}) =>
  (attempt: number) =>
    attempt <= times ? { code, ...more } : { value: 'fine' };

describe('a unary call', () => {
  it('is retried, sends the same message each time, and tells the server of the attempts before', async () => {
    server.answer = failing(3, Status.UNAVAILABLE);
    expect(await get(client())).toEqual({ value: 'fine!' });
    expect(server.seen).toEqual([undefined, '1', '2', '3']);
  });

  it('gives the status of the last attempt with its details and trailers, and the summary as its cause', async () => {
    server.answer = attempt => ({ code: 14, details: `down ${attempt}`, trailers: { reason: `attempt-${attempt}` } });
    const from = client();
    const seen: StatusObject[] = [];
    const error = await new Promise<ServiceError & { cause?: unknown }>((resolve, reject) => {
      const call = from.get(Buffer.from('!'), failure => (failure === null ? reject(failure) : resolve(failure)));
      call.on('status', status => seen.push(status));
    });
    expect(error).toMatchObject({ code: 14, details: 'down 4', message: '14 UNAVAILABLE: down 4' });
    expect(error.metadata.get('reason')).toEqual(['attempt-4']);
    expect(retrySummary(error.cause)).toMatchObject({ attempts: 4, reason: 'attempts_exhausted' });
    expect(seen).toMatchObject([{ code: 14, details: 'down 4' }]);
  });

  it('hands on headers once, those of the attempt that counts', async () => {
    server.answer = attempt => (attempt < 3 ? { code: 14 } : { value: 'fine', headers: { served: 'third' } });
    const headers: Metadata[] = [];
    await new Promise<void>(resolve => {
      const call = client().get(Buffer.from('!'), () => resolve());
      call.on('metadata', each => headers.push(each));
    });
    expect(headers.map(each => each.get('served'))).toEqual([['third']]);
  });

  it.each([
    ['RESOURCE_EXHAUSTED', 2],
    ['UNAVAILABLE', 2],
    ['ABORTED', 1],
    ['INTERNAL', 1],
    ['UNKNOWN', 1],
    ['DEADLINE_EXCEEDED', 1],
    ['NOT_FOUND', 1],
    ['CANCELLED', 1],
  ] as const)('with %s makes %i attempts', async (name, attempts) => {
    server.answer = failing(1, Status[name]);
    await get(client());
    expect(server.seen).toHaveLength(attempts);
  });

  it('is retried on the statuses that the options name, and on no others', async () => {
    server.answer = failing(1, Status.ABORTED);
    expect(await get(client({ ...ALL, statuses: ['ABORTED'] }))).toEqual({ value: 'fine!' });
    server.seen.length = 0;
    server.answer = failing(1, Status.UNAVAILABLE);
    await get(client({ ...ALL, statuses: ['ABORTED'] }));
    expect(server.seen).toHaveLength(1);
  });

  it('counts RESOURCE_EXHAUSTED as throttled', async () => {
    const observer = recordCalls();
    server.answer = failing(1, Status.RESOURCE_EXHAUSTED);
    await get(client({ ...ALL, observer }));
    expect(observer.calls[0]?.attempts.map(each => each.end)).toMatchObject([
      { outcome: 'failure', errorClass: 'throttled', error: { name: 'RESOURCE_EXHAUSTED', code: 8 } },
      { outcome: 'success' },
    ]);
    expect(observer.calls[0]?.info.operation).toBe('test.Echo/Get');
  });

  it('does not retry a message that is too large', async () => {
    server.answer = () => ({ value: 'x'.repeat(2000) });
    const outcome = await get(client(ALL, { 'grpc.max_receive_message_length': 1000 }));
    expect(errorOf(outcome)).toMatchObject({ code: Status.RESOURCE_EXHAUSTED });
    expect(server.seen).toHaveLength(1);
  });
});

describe('which methods', () => {
  it.each<[string, GrpcRetryOptions['methods'], number]>([
    ['none by default', undefined, 1],
    ['none of a list', ['/test.Echo/List'], 1],
    ['one of a list', ['/test.Echo/Get'], 2],
    ['all of a service', ['/test.Echo/*'], 2],
    ['all of another service', ['/test.Ech/*'], 1],
    ['all', 'all', 2],
    ['by a function', path => path.endsWith('/Get'), 2],
    [
      'a function that throws says no',
      () => {
        throw new Error('boom');
      },
      1,
    ],
  ])('%s', async (_, methods, attempts) => {
    server.answer = failing(1, Status.UNAVAILABLE);
    const { methods: _methods, ...rest } = ALL;
    await get(client(methods === undefined ? rest : { ...rest, methods }));
    expect(server.seen).toHaveLength(attempts);
  });

  it('does not matter while the request has not left this process', async () => {
    const port = await freePort();
    let attempts = 0;
    const options: GrpcRetryOptions = { ...ALL, methods: [], maxAttempts: 3, onRetry: () => void attempts++ };
    const error = errorOf(await get(client(options, {}, port)));
    expect([error.code, error.details.slice(0, 25), attempts]).toEqual([14, 'No connection established', 2]);
  });

  it('a call that sends a stream is made once', async () => {
    await new Promise<void>(resolve => {
      const call = client().upload(() => resolve());
      call.write(Buffer.from('a'));
      call.end();
    });
    expect(server.seen).toEqual([undefined]);
  });
});

describe('pushback', () => {
  const clock = (): FakeClock => new FakeClock();

  /** Lets the fake time run until the call has ended; what it does on the network takes real time. */
  async function outcome(fake: FakeClock, call: Promise<Outcome>): Promise<Outcome> {
    let isEnded = false;
    void call.finally(() => {
      isEnded = true;
    });
    while (!isEnded) {
      await fake.runAll();
      await new Promise(resolve => setTimeout(resolve, 1));
    }
    return call;
  }

  it('is waited, in place of the policy’s own delay', async () => {
    const fake = clock();
    server.answer = failing(2, Status.UNAVAILABLE, { trailers: { 'grpc-retry-pushback-ms': '250' } });
    expect(await outcome(fake, get(client({ ...ALL, clock: fake })))).toEqual({ value: 'fine!' });
    expect(fake.sleeps).toEqual([250, 250]);
  });

  it.each([['-1'], ['soon'], ['1.5'], ['007'], [''], ['99999999999']])('"%s" ends the call', async value => {
    server.answer = failing(1, Status.UNAVAILABLE, { trailers: { 'grpc-retry-pushback-ms': value } });
    expect(errorOf(await get(client())).code).toBe(14);
    expect(server.seen).toHaveLength(1);
  });

  it('given twice ends the call', async () => {
    server.answer = failing(1, Status.UNAVAILABLE, { trailers: { 'grpc-retry-pushback-ms': ['1', '2'] } });
    await get(client());
    expect(server.seen).toHaveLength(1);
  });

  it('that is longer than maxDelay ends the call', async () => {
    server.answer = failing(1, Status.UNAVAILABLE, { trailers: { 'grpc-retry-pushback-ms': '501' } });
    await get(client());
    expect(server.seen).toHaveLength(1);
  });
});

describe('deadline and cancellation', () => {
  it('the deadline holds for all attempts together', async () => {
    server.answer = attempt => (attempt === 1 ? { code: 14 } : 'silence');
    const started = performance.now();
    // Long enough for one answer, also on a machine that is busy.
    const error = errorOf(await get(client(), { deadline: Date.now() + 1500 }));
    expect(error.code).toBe(Status.DEADLINE_EXCEEDED);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(server.seen).toEqual([undefined, '1']);
    await until(() => server.cancelled === 1);
  });

  it('a wait that would pass the deadline is not begun', async () => {
    server.answer = failing(9, Status.UNAVAILABLE);
    const slow = client({ ...ALL, initialDelay: 60_000, maxDelay: 60_000 });
    const error = errorOf(await get(slow, { deadline: new Date(Date.now() + 20_000) }));
    expect(error.code).toBe(14);
    expect(retrySummary(error.cause)?.reason).toBe('deadline_exceeded');
  });

  it('a deadline that has passed makes no attempt', async () => {
    expect(errorOf(await get(client(), { deadline: Date.now() - 1 })).code).toBe(Status.DEADLINE_EXCEEDED);
    expect(server.seen).toEqual([]);
  });

  it('an attempt that takes too long is cancelled, and another one is made', async () => {
    server.answer = attempt => (attempt === 1 ? 'silence' : { value: 'fine' });
    expect(await get(client({ ...ALL, attemptTimeout: 200 }))).toEqual({ value: 'fine!' });
    await until(() => server.cancelled === 1);
    server.answer = () => 'silence';
    const error = errorOf(await get(client({ ...ALL, attemptTimeout: 20, maxAttempts: 2 })));
    expect([error.code, error.details]).toEqual([4, 'Attempt 2 took longer than attemptTimeout, 20 ms']);
  });

  it('cancels the attempt that runs', async () => {
    server.answer = () => 'silence';
    const outcome = new Promise<ServiceError | null>(resolve => {
      const call = client().get(Buffer.from('!'), resolve);
      until(() => server.seen.length === 1).then(() => call.cancel());
    });
    expect(await outcome).toMatchObject({ code: 1, details: 'Cancelled on client' });
    await until(() => server.cancelled === 1);
    expect(server.seen).toHaveLength(1);
  });

  it('cancels the wait', async () => {
    server.answer = () => ({ code: 14 });
    let inWait: () => void = () => undefined;
    const waiting = new Promise<void>(resolve => {
      inWait = resolve;
    });
    const from = client({ ...ALL, initialDelay: 60_000, maxDelay: 60_000, onRetry: () => inWait() });
    const outcome = new Promise<ServiceError | null>(resolve => {
      const call = from.get(Buffer.from('!'), resolve);
      void waiting.then(() => call.cancel());
    });
    expect(await outcome).toMatchObject({ code: 1, details: 'Cancelled on client' });
    expect(server.seen).toHaveLength(1);
  });

  it('cancels at once what has hardly begun', async () => {
    const outcome = await new Promise<ServiceError | null>(resolve => {
      client().get(Buffer.from('!'), resolve).cancel();
    });
    expect(outcome).toMatchObject({ code: 1, details: 'Cancelled on client' });
  });

  it('ends when the call that it serves is cancelled or out of time', async () => {
    const inner = await startEchoServer();
    ends.push(() => inner.end());
    inner.answer = () => ({ code: 14 });
    const from = client({ ...ALL, initialDelay: 60_000, maxDelay: 60_000 }, {}, inner.port);
    server.answer = () => 'silence';
    const outer = connect(server.port, {});
    ends.push(() => outer.close());
    const serve = async (): Promise<void> => {
      server.latest = undefined;
      await until(() => server.latest !== undefined);
    };
    const call = outer.get(Buffer.from('!'), () => undefined);
    await serve();
    const cancelled = get(from, { parent: server.latest });
    await until(() => inner.seen.length === 1);
    call.cancel();
    expect(errorOf(await cancelled)).toMatchObject({ code: 1, details: 'Cancelled by parent call' });

    outer.get(Buffer.from('!'), new Metadata(), { deadline: Date.now() + 5000 }, () => undefined);
    await serve();
    const late = errorOf(await get(from, { parent: server.latest }));
    expect(retrySummary(late.cause)?.reason).toBe('deadline_exceeded');
  });
});

describe('a stream of answers', () => {
  const read = (from: EchoClient): Promise<{ data: string[]; error: ServiceError | undefined }> =>
    new Promise(resolve => {
      const data: string[] = [];
      let error: ServiceError | undefined;
      const stream = from.list(Buffer.from('!'));
      stream.on('data', each => data.push(String(each)));
      stream.on('error', failure => {
        error = failure as ServiceError;
      });
      stream.on('close', () => resolve({ data, error }));
      stream.on('end', () => resolve({ data, error }));
    });

  it('is retried as long as nothing has arrived', async () => {
    server.answer = attempt => (attempt < 3 ? { code: 14 } : { stream: ['a', 'b', 'c'] });
    expect(await read(client())).toEqual({ data: ['a', 'b', 'c'], error: undefined });
    expect(server.seen).toEqual([undefined, '1', '2']);
  });

  it('is not retried after its first message', async () => {
    server.answer = () => ({ stream: ['a', 'b'], code: 14 });
    const { data, error } = await read(client());
    expect([data, error?.code, server.seen.length]).toEqual([['a', 'b'], 14, 1]);
  });

  it('may be empty', async () => {
    server.answer = attempt => (attempt < 2 ? { code: 14 } : { stream: [] });
    expect(await read(client())).toEqual({ data: [], error: undefined });
  });

  it('gives up like any other', async () => {
    server.answer = () => ({ code: 14 });
    expect(await read(client())).toMatchObject({ data: [], error: { code: 14 } });
    expect(server.seen).toHaveLength(4);
  });

  it('of many messages arrives whole, in order', async () => {
    const stream = Array.from({ length: 2000 }, (_, i) => `${i}`);
    server.answer = attempt => (attempt < 2 ? { code: 14 } : { stream });
    expect((await read(client())).data).toEqual(stream);
  });

  it('can be cancelled before its first message', async () => {
    server.answer = () => 'silence';
    const stream = client().list(Buffer.from('!'));
    const ended = new Promise<ServiceError>(resolve => stream.on('error', error => resolve(error as ServiceError)));
    stream.resume();
    await until(() => server.seen.length === 1);
    stream.cancel();
    expect((await ended).code).toBe(1);
  });
});

describe('limits and nesting', () => {
  it('spends from the budget "grpc", or from one of its own', async () => {
    server.answer = () => ({ code: 14 });
    const own = client({ ...ALL, budget: new RetryBudget({ name: 'own', capacity: 1 }) });
    expect(retrySummary(errorOf(await get(own)).cause)?.reason).toBe('budget_exhausted');
    const { budget: _, ...shared } = ALL;
    const from = client(shared);
    server.seen.length = 0;
    for (let i = 0; i < 6; i++) await get(from);
    expect(server.seen).toHaveLength(16);
  });

  it('an open circuit is UNAVAILABLE without an attempt', async () => {
    const breaker = new CircuitBreaker({ name: 'echo' });
    breaker.forceOpen();
    const error = errorOf(await get(client({ ...ALL, breaker }), { deadline: Date.now() + 60_000 }));
    expect([error.code, error.details, server.seen.length]).toEqual([14, 'The circuit "echo" is open', 0]);
  });

  it('what was given up here is not retried around it', async () => {
    server.answer = () => ({ code: 14 });
    const from = client();
    let calls = 0;
    const around = retry(
      async () => {
        calls++;
        throw errorOf(await get(from));
      },
      { initialDelay: 1 },
    );
    await expect(around).rejects.toMatchObject({ code: 14 });
    expect([calls, server.seen.length]).toEqual([1, 4]);
  });

  it('what grpc-js has retried itself is not retried again', async () => {
    const policy = {
      maxAttempts: 3,
      initialBackoff: '0.01s',
      maxBackoff: '0.01s',
      backoffMultiplier: 1,
      retryableStatusCodes: ['UNAVAILABLE'],
    };
    const config = JSON.stringify({ methodConfig: [{ name: [{ service: 'test.Echo' }], retryPolicy: policy }] });
    server.answer = () => ({ code: 14 });
    const error = errorOf(await get(client(ALL, { 'grpc.service_config': config })));
    expect(server.seen).toEqual([undefined, '1', '2']);
    expect(retrySummary(error.cause)).toMatchObject({ attempts: 1, reason: 'already_retried' });
    server.seen.length = 0;
    await get(client(ALL, { 'grpc.service_config': config, 'grpc.enable_retries': 0 }));
    expect(server.seen).toEqual([undefined, '1', '2', '3']);
  });

  it('other interceptors below see each attempt', async () => {
    const paths: string[] = [];
    const spy: Interceptor = (options, nextCall) => {
      paths.push(options.method_definition.path);
      return new InterceptingCall(nextCall(options));
    };
    server.answer = failing(2, Status.UNAVAILABLE);
    await get(client(ALL, { interceptors: [grpcRetryInterceptor(ALL), spy] }));
    expect(paths).toHaveLength(3);
  });

  it('a closed client throws at once, as without it', () => {
    const from = client();
    from.close();
    expect(() => from.get(Buffer.from('!'), () => undefined)).toThrow('Channel has been shut down');
  });

  it('leaves the metadata of the caller alone', async () => {
    server.answer = failing(1, Status.UNAVAILABLE);
    const metadata = new Metadata();
    metadata.set('tenant', 'a');
    await get(client(), {}, metadata);
    expect(metadata.getMap()).toEqual({ tenant: 'a' });
  });
});

describe('the options', () => {
  it.each<[string, unknown, string]>([
    ['a misspelt option', { metods: 'all' }, '"metods" is not an option; did you mean "methods"?'],
    [
      'a wrong list of methods',
      { methods: 'Get' },
      `methods is "Get"; it must be 'all', a list of paths or a function`,
    ],
    ['a method without its service', { methods: ['GetOrder'] }, 'methods[0] is "GetOrder"; it must be a path such as'],
    ['a wrong status', { statuses: ['BUSY'] }, 'statuses[0] is "BUSY"'],
    ['OK', { statuses: ['OK'] }, 'statuses[0] is "OK"'],
    ['a hedge', { hedge: 10 }, 'hedge is not for calls of gRPC'],
    ['a wrong option of every policy', { maxAttempts: 0 }, 'maxAttempts is 0'],
    ['a wrong retryOn', { retryOn: 5 }, 'retryOn is 5'],
    ['no options', null, 'gRPC options are null'],
  ])('%s is refused when the interceptor is made', (_, wrong, text) => {
    expect(() => grpcRetryInterceptor(wrong as GrpcRetryOptions)).toThrow(text);
  });
});
