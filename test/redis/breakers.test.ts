import { CircuitBreaker } from '../../src/limits/circuit-breaker.ts';
import { type SharedBreaker, shareBreaker } from '../../src/limits/redis/index.ts';
import { connect, PACKAGES, type TestClient } from './support/clients.ts';
import { describeWithRedis } from './support/needs-redis.ts';
import { type OwnRedis, startRedis } from './support/redis-server.ts';
import { until } from './support/until.ts';

// Real servers on real time, on machines that may be busy.
jest.setTimeout(60_000);

/** Lets one attempt fail; the breakers here open with the first. */
function fail(breaker: CircuitBreaker): void {
  const permit = breaker.tryEnter();
  if (permit !== undefined) breaker.leave(permit, 'failure');
}

function succeed(breaker: CircuitBreaker): void {
  const permit = breaker.tryEnter();
  if (permit !== undefined) breaker.leave(permit, 'success');
}

describeWithRedis('breakers shared over Redis', () => {
  let redis: OwnRedis;
  const clients: TestClient[] = [];
  const shares: SharedBreaker[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    for (const share of shares) share.close();
    for (const client of clients) client.end();
    await redis?.end();
  });

  it('one opens the others, of whichever client, and one that closes closes them', async () => {
    const breakers: CircuitBreaker[] = [];
    for (const name of [...PACKAGES, ...PACKAGES]) {
      const client = await connect(name, redis.url);
      const breaker = new CircuitBreaker({
        name: 'ledger',
        trip: { kind: 'consecutive', failures: 1 },
        openMs: 60_000,
      });
      clients.push(client);
      breakers.push(breaker);
      shares.push(shareBreaker(breaker, client.redis, { pollMs: 100, commandTimeoutMs: 1000 }));
    }
    const [first, last] = [breakers[0] as CircuitBreaker, breakers[3] as CircuitBreaker];
    fail(first);
    await until(() => breakers.every(({ state }) => state.at === 'open'));
    expect(last.openForMs()).toBeLessThanOrEqual(60_000);
    // Shortens the wait of one of them, as if its time had come first.
    last.trip(0);
    succeed(last);
    await until(() => breakers.every(({ state }) => state.at === 'closed'));
    expect(shares.map(({ mode }) => mode)).toEqual(Array(4).fill('shared'));
    // A clock that was an hour ahead does not hold it open longer than it was meant to be.
    const [seconds] = await redis.admin.time();
    const ahead = (Number(seconds) + 3600) * 1000;
    await redis.admin.hset('retryscope:breaker:{ledger}', { version: 'x', says: 'open', until: ahead, open_ms: 900 });
    await until(() => first.state.at === 'open');
    expect(first.openForMs()).toBeLessThanOrEqual(900);
  });
});
