// What the middleware does to one request and its answer, without a socket: fast enough to be asked by every mutant.
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { faultCounts, retry } from '../../src/core.ts';
import {
  fastifyRetryAwareness,
  incomingRetry,
  type RetryAwarenessOptions,
  refuseRetries,
  retryAwareness,
} from '../../src/limits/propagation/index.ts';
import type { FastifyReplyLike } from '../../src/limits/propagation/middleware.ts';

/** One request that was handled, or was not. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** True when the handler was called. */
  readonly isHandled: boolean;
}

type Handle = (response: ServerResponse) => unknown;
type Ask = (attempt: string | undefined, options?: RetryAwarenessOptions, handle?: Handle) => Promise<Exchange>;

const DO_NOT_RETRY = { 'x-should-retry': 'false', 'retry-stop': 'already_retried' };

const FORMS: readonly [string, Ask][] = [
  [
    'node:http',
    async (attempt, options, handle = () => undefined) => {
      const [request, response] = exchange(attempt);
      let handled: unknown;
      let isHandled = false;
      retryAwareness(options)(request, response, () => {
        isHandled = true;
        handled = handle(response);
      });
      await handled;
      return { request, response, isHandled };
    },
  ],
  [
    'Fastify',
    async (attempt, options = {}, handle = () => undefined) => {
      const [request, response] = exchange(attempt);
      let handled: unknown;
      let isHandled = false;
      const reply = replyOf(response);
      const done = jest.fn();
      fastifyRetryAwareness(
        {
          addHook: (name, hook) => {
            expect(name).toBe('onRequest');
            hook({ raw: request }, reply, () => {
              isHandled = true;
              handled = handle(response);
            });
          },
        },
        { ...options, prefix: '/of-fastify' } as RetryAwarenessOptions,
        done,
      );
      expect(done.mock.calls).toEqual([[]]);
      await handled;
      return { request, response, isHandled };
    },
  ],
];

function exchange(attempt: string | undefined): [IncomingMessage, ServerResponse] {
  const request = new IncomingMessage(new Socket());
  if (attempt !== undefined) request.headers['retry-attempt'] = attempt;
  return [request, new ServerResponse(request)];
}

function replyOf(response: ServerResponse): FastifyReplyLike {
  return {
    raw: response,
    header: (name, value) => response.setHeader(name, value),
    code: status => {
      response.statusCode = status;
      return { send: () => response.end() };
    },
  };
}

/** A call that gives up after a retry. */
function giveUp(): Promise<unknown> {
  return retry(() => Promise.reject(new Error('down')), { maxAttempts: 2, initialDelay: 0 }).catch(() => undefined);
}

describe.each(FORMS)('%s', (_name, ask) => {
  it('tells the handler which attempt it is', async () => {
    const { request, isHandled } = await ask('2;max=3');
    expect(isHandled).toBe(true);
    expect(incomingRetry(request)).toEqual({ attempt: 2, maxAttempts: 3, source: 'own' });
  });

  it('knows of no attempt where the request tells of none', async () => {
    const { request, isHandled } = await ask(undefined);
    expect([isHandled, incomingRetry(request)]).toEqual([true, undefined]);
  });

  it.each([
    ['1', true],
    ['2', true],
    ['3', false],
    [undefined, true],
  ])('handles attempt %s of two that are allowed: %s', async (attempt, expected) => {
    const { response, isHandled } = await ask(attempt, { refuseAfter: 2 });
    expect(isHandled).toBe(expected);
    expect(response.writableEnded).toBe(!expected);
    expect(response.statusCode).toBe(expected ? 200 : 503);
    expect(response.getHeaders()).toEqual(expected ? {} : DO_NOT_RETRY);
  });

  it.each([
    ['1', true],
    ['2', false],
    [undefined, true],
  ])('handles attempt %s under overload: %s', async (attempt, expected) => {
    const onOverload = jest.fn(() => true);
    const { request, isHandled } = await ask(attempt, { onOverload });
    expect(isHandled).toBe(expected);
    expect(onOverload.mock.calls).toEqual(expected ? [] : [[request]]);
  });

  it('handles retries while there is no overload, or what tells of it is broken', async () => {
    expect((await ask('2', { onOverload: () => false })).isHandled).toBe(true);
    expect((await ask('2', { onOverload: () => 1 as unknown as boolean })).isHandled).toBe(true);
    const faults = faultCounts().get('hook') ?? 0;
    const broken = (): boolean => {
      throw new Error('broken');
    };
    expect((await ask('2', { onOverload: broken })).isHandled).toBe(true);
    expect(faultCounts().get('hook')).toBe(faults + 1);
  });

  it.each([
    [500, true],
    [503, true],
    [499, false],
    [200, false],
  ])('marks an answer of %i after a call inside has given up: %s', async (status, expected) => {
    const { response } = await ask('1', {}, async response => {
      await giveUp();
      response.writeHead(status);
    });
    expect(response.hasHeader('retry-stop')).toBe(expected);
    expect(response.statusCode).toBe(status);
  });

  it('marks by the status that was set before, and passes on all that was given', async () => {
    const { response } = await ask('1', {}, async response => {
      await giveUp();
      response.statusCode = 502;
      response.end();
    });
    expect(response.getHeaders()).toMatchObject(DO_NOT_RETRY);
    const { response: other } = await ask('1', {}, response => response.writeHead(500, 'Broken', { 'x-own': '1' }));
    expect([other.statusMessage, other.getHeader('x-own'), other.hasHeader('retry-stop')]).toEqual([
      'Broken',
      undefined,
      false,
    ]);
    expect(other.headersSent).toBe(true);
  });
});

it.each([
  [{ refuseAfter: 0 }, /refuseAfter/],
  [{ refuseAfter: 1001 }, /refuseAfter/],
  [{ onOverload: 1 }, /onOverload/],
])('refuses %j', (options, message) => {
  expect(() => retryAwareness(options as unknown as RetryAwarenessOptions)).toThrow(message);
  const done = jest.fn();
  const addHook = jest.fn();
  fastifyRetryAwareness({ addHook }, options as unknown as RetryAwarenessOptions, done);
  expect(done.mock.calls).toEqual([[expect.objectContaining({ message: expect.stringMatching(message) })]]);
  expect(addHook).not.toHaveBeenCalled();
});

it('names what it was given in place of options, and options that it does not have', () => {
  expect(() => retryAwareness(1 as never)).toThrow(/^awareness options/i);
  expect(() => retryAwareness({ refuseAftre: 1 } as never)).toThrow(/refuseAfter/);
});

it('is a plugin for the whole of a Fastify server', () => {
  expect((fastifyRetryAwareness as unknown as Record<symbol, unknown>)[Symbol.for('skip-override')]).toBe(true);
});

describe('refuseRetries', () => {
  it('writes by the method of Node where there are others', () => {
    const [setHeader, header, set] = [jest.fn(), jest.fn(), jest.fn()];
    refuseRetries({ setHeader, header, set });
    expect(setHeader.mock.calls).toEqual(Object.entries(DO_NOT_RETRY));
    expect([header, set].flatMap(({ mock }) => mock.calls)).toEqual([]);
  });

  it('writes by the others in turn', () => {
    const [header, set] = [jest.fn(), jest.fn()];
    refuseRetries({ header, set });
    expect([header.mock.calls.length, set.mock.calls.length]).toEqual([2, 0]);
    refuseRetries({ set });
    expect(set).toHaveBeenCalledTimes(2);
  });

  it('leaves an answer alone whose headers have been sent, and no other', () => {
    const setHeader = jest.fn();
    refuseRetries({ headersSent: true, setHeader });
    expect(setHeader).not.toHaveBeenCalled();
    refuseRetries({ headersSent: false, setHeader });
    expect(setHeader).toHaveBeenCalledTimes(2);
  });
});
