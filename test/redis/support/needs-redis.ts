import { hasRedisServer } from './redis-server.ts';

/**
 * `describe` for tests that need a redis-server. Where there is none, CI fails, and anywhere else the name of one test
 * and a line on standard error tell how many were left out.
 *
 * `isThere` says whether what they need is there, if that is something else than a server of their own.
 */
export function describeWithRedis(name: string, body: () => void, isThere: () => boolean = () => hasRedisServer): void {
  if (isThere()) {
    describe(name, () => {
      body();
    });
    return;
  }
  const count = countTests(body);
  describe(name, () => {
    it(`${count} tests left out: there is no redis-server`, () => {
      if (process.env.CI === 'true') throw new Error('redis-server is missing: install the package redis-server');
      process.stderr.write(`${name}: ${count} tests left out, there is no redis-server\n`);
    });
  });
}

const REGISTRARS = ['it', 'describe', 'beforeAll', 'afterAll', 'beforeEach', 'afterEach'] as const;

/** How many tests `body` would register. */
function countTests(body: () => void): number {
  const scope = globalThis as unknown as Record<(typeof REGISTRARS)[number], unknown>;
  const real = REGISTRARS.map(registrar => scope[registrar]);
  let count = 0;
  const register = (): void => {
    count++;
  };
  const each = (rows: readonly unknown[]) => (): void => {
    count += rows.length;
  };
  for (const registrar of REGISTRARS) scope[registrar] = () => undefined;
  scope.it = Object.assign(register, { each });
  scope.describe = Object.assign((_: string, inner: () => void) => inner(), {
    each: (rows: readonly unknown[]) => (_: string, inner: (row: unknown) => void) => rows.forEach(inner),
  });
  body();
  REGISTRARS.forEach((registrar, i) => {
    scope[registrar] = real[i];
  });
  return count;
}
