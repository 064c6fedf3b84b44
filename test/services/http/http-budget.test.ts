import { CircuitBreaker, RetryBudget, retrySummary } from '../../../src/core.ts';
import { limitRegistry } from '../../../src/limits/registry.ts';
import { createRetryFetch, type FetchRetryOptions, httpBudget, retryFetch } from '../../../src/services/http/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { settle } from '../../support/settle.ts';

const clock = new FakeClock();

/** A fetch that gives these statuses in order, the last of them for ever. */
function answering(...statuses: readonly number[]): jest.Mock<Promise<Response>> {
  let i = 0;
  return jest.fn(async () => new Response('', { status: statuses[Math.min(i++, statuses.length - 1)] as number }));
}

/** What a call comes to: its status, and why it was given up. */
async function outcomeOf(url: string, options: FetchRetryOptions): Promise<[number, string | undefined]> {
  const settled = await settle(clock, retryFetch(url, {}, { clock, ...options }));
  const { value } = settled as { value: Response };
  return [value.status, retrySummary(value)?.reason];
}

/** Takes all that a budget has. */
async function empty(host: string): Promise<void> {
  for (let i = 0; i < 6; i++) await outcomeOf(`http://${host}/`, { fetch: answering(503) });
  expect(httpBudget(host).balance()).toBe(0);
}

describe('the budget of a host', () => {
  it('is shared by all calls to it in the process', async () => {
    await outcomeOf('http://users.internal/a', { fetch: answering(503, 200) });
    await settle(clock, createRetryFetch({ clock, fetch: answering(503, 200) })('http://USERS.internal:80/b'));
    const budget = httpBudget('users.internal');
    expect(budget.name).toBe('http users.internal');
    expect(budget.balance()).toBeCloseTo(10 - 2 + 0.2);
    expect(httpBudget('users.internal')).toBe(budget);
    expect(httpBudget('users.internal:8080')).not.toBe(budget);
    expect([...limitRegistry.budgets]).toContain(budget);
  });

  it('is left alone by a host that is down', async () => {
    await empty('ads.internal');
    expect(await outcomeOf('http://ads.internal/', { fetch: answering(503, 200) })).toEqual([503, 'budget_exhausted']);
    expect(await outcomeOf('http://payments.internal/', { fetch: answering(503, 200) })).toEqual([200, undefined]);
  });

  it('is left alone by a policy that has another, or none', async () => {
    const budget = new RetryBudget({ capacity: 1, ratio: 0 });
    const own = { budget, fetch: answering(503) };
    expect(await outcomeOf('http://a.internal/', own)).toEqual([503, 'budget_exhausted']);
    expect(await outcomeOf('http://b.internal/', own)).toEqual([503, 'budget_exhausted']);
    expect(await outcomeOf('http://a.internal/', { budget: 'none', fetch: answering(503) })).toEqual([
      503,
      'attempts_exhausted',
    ]);
    expect(httpBudget('a.internal').balance()).toBe(10);
  });

  it('holds for requests that are sent once as well: their success fills it', async () => {
    await outcomeOf('http://forms.internal/', { fetch: answering(503, 200) });
    const post = { method: 'POST' };
    await settle(clock, retryFetch('http://forms.internal/', post, { clock, fetch: answering(200) }));
    expect(httpBudget('forms.internal').balance()).toBeCloseTo(10 - 1 + 0.2);
  });

  it('is that of the host which was asked first, wherever a redirect leads', async () => {
    const redirected = (code: number): Response =>
      Object.defineProperty(new Response('', { status: code }), 'url', { value: 'http://new.internal/' });
    const fetch = jest.fn<Promise<Response>, []>(async () => redirected(200)).mockResolvedValueOnce(redirected(503));
    await settle(clock, retryFetch('http://old.internal/', {}, { clock, fetch }));
    expect(httpBudget('old.internal').balance()).toBeCloseTo(9.1);
    expect(httpBudget('new.internal').balance()).toBe(10);
  });

  it('has a name that is not too long, also where the host is', () => {
    const host = `${'a'.repeat(300)}.internal`;
    expect(httpBudget(host).name).toBe(`http ${'a'.repeat(195)}`);
    expect(httpBudget(`${host}.`)).toBe(httpBudget(host));
  });

  it('keeps the other limits of a policy', async () => {
    const breaker = new CircuitBreaker({ name: 'c' });
    breaker.forceOpen();
    const settled = await settle(
      clock,
      retryFetch('http://c.internal/', {}, { clock, breaker, fetch: answering(200) }),
    );
    expect(settled).toMatchObject({ error: { name: 'CircuitOpenError' } });
  });

  it('is one for all hosts after the first hundred, and for requests without one', async () => {
    expect(httpBudget().name).toBe('http');
    expect(httpBudget('')).toBe(httpBudget());
    for (let i = 0; i < 150; i++) httpBudget(`${i}.internal`);
    const names = [...limitRegistry.budgets].map(({ state }) => state.name).filter(name => name.startsWith('http '));
    expect(names).toHaveLength(100);
    expect(httpBudget('149.internal')).toBe(httpBudget());
    expect(httpBudget('users.internal').name).toBe('http users.internal');
    const spent = httpBudget().balance();
    await outcomeOf('http://unheard.internal/', { fetch: answering(503, 200) });
    expect(httpBudget().balance()).toBeCloseTo(spent - 1 + 0.1);
  });
});
