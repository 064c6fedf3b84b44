import { inspect } from 'node:util';
import { describeError } from '../../../src/engine/describe-error.ts';
import { BodyUsedError, HttpStatusError, retryFetch } from '../../../src/services/http/index.ts';
import { recordCalls } from '../../../src/testing/index.ts';

const SECRET = 'hunter2hunter2';
const URL_ = `https://me:${SECRET}@api.example.com/hooks/${SECRET}?token=${SECRET}&page=2#${SECRET}`;
const INIT = {
  method: 'PUT',
  headers: { authorization: `Bearer ${SECRET}`, cookie: `sid=${SECRET}`, 'x-api-key': SECRET },
};
const answer = async (): Promise<Response> =>
  new Response(`the body says ${SECRET}`, {
    status: 503,
    statusText: SECRET,
    headers: { 'set-cookie': `sid=${SECRET}`, 'x-secret': SECRET },
  });

/** Everything of an error that a logger may write. */
function texts(error: Error): string {
  return [
    error.message,
    error.stack,
    String(error),
    JSON.stringify(error),
    JSON.stringify(error, Object.getOwnPropertyNames(error)),
    JSON.stringify({ ...error }),
    inspect(error, { depth: 20, showHidden: true, getters: false }),
    inspect(error),
    JSON.stringify(describeError(error)),
  ].join('\n');
}

describe('no secret of a request or an answer', () => {
  const options = { fetch: answer, initialDelay: 1, budget: 'none' } as const;

  it('is in an HttpStatusError', async () => {
    const error = await retryFetch(URL_, { ...INIT, body: SECRET }, { ...options, onHttpError: 'throw' }).catch(e => e);
    expect(error).toBeInstanceOf(HttpStatusError);
    expect(texts(error)).toContain('PUT api.example.com was answered with status 503');
    expect(texts(error)).not.toContain(SECRET);
    await expect((error as HttpStatusError).response.text()).resolves.toContain(SECRET);
  });

  it('is in a BodyUsedError', async () => {
    const body = new Blob([SECRET]).stream();
    const error = await retryFetch(URL_, { ...INIT, body, duplex: 'half' } as never, options).catch(e => e);
    expect(error).toBeInstanceOf(BodyUsedError);
    expect(texts(error)).toContain('PUT api.example.com cannot be sent again');
    expect(texts(error)).not.toContain(SECRET);
  });

  it('is in what observers are told of the call', async () => {
    const observer = recordCalls();
    await retryFetch(URL_, { ...INIT, body: SECRET }, { ...options, observer });
    expect(observer.calls[0]?.info.operation).toBe('PUT api.example.com');
    expect(inspect(observer.calls, { depth: 20 })).not.toContain(SECRET);
  });
});
