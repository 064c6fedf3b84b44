import type { Behaviour } from '../../examples/demo/phases.ts';
import { startUpstream, type Upstream } from '../../examples/demo/upstream.ts';
import { fetchJson } from '../../examples/demo/upstream-client.ts';

let upstream: Upstream;
let behaviour: Behaviour;
beforeAll(async () => {
  upstream = await startUpstream(
    () => behaviour,
    () => 0,
  );
});
afterAll(() => upstream.close());

const ask = (): Promise<unknown> => fetchJson(`${upstream.url}/x`, { signal: AbortSignal.timeout(2000) });

describe('the upstream of the demo', () => {
  it.each<[Behaviour, object]>([
    ['503', { name: 'UpstreamError', status: 503, message: 'The upstream answered 503' }],
    ['reset', { message: 'fetch failed', cause: { code: 'ECONNRESET' } }],
  ])('really does it: %s', async (kind, expected) => {
    behaviour = kind;
    await expect(ask()).rejects.toMatchObject(expected);
  });

  it('says when to come back', async () => {
    behaviour = '503 with Retry-After';
    const error = (await ask().catch((thrown: unknown) => thrown)) as { headers: Headers };
    expect(error.headers.get('retry-after')).toBe('1');
  });

  it.each<Behaviour>(['ok', 'slow'])('answers: %s', async kind => {
    behaviour = kind;
    await expect(ask()).resolves.toEqual({ path: '/x' });
  });

  it('hangs', async () => {
    behaviour = 'hang';
    await expect(fetchJson(upstream.url, { signal: AbortSignal.timeout(60) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
});
