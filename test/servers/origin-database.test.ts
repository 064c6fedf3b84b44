import { SpanStatusCode } from '@opentelemetry/api';
import { Pool, type PoolConfig } from 'pg';
import { store } from '../../instrumentation/store/store.ts';
import '../../src/index.ts';
import { checkDatabase, type DatabaseHealth } from '../../src/services/database/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { until } from '../redis/support/until.ts';
import { seen, startTracing, stopTelemetry } from '../spans/sdk.ts';
import { parseExposition, scrape } from '../support/exposition.ts';
import { describeWithProgram } from '../support/needs-program.ts';
import { outcomeOf, type Settled } from '../support/settle.ts';
import { hasPostgres, type OwnPostgres, startPostgres } from './postgres.ts';
import { recordLines, startMetrics, tracesOf } from './story.ts';

// The story of the database that comes back while it is asked whether it is there:
//
//   Attempt 1: Failed (connection timeout)
//   Wait 0.5s...
//   Attempt 2: Failed (still connecting)
//   Wait 1.0s...
//   Attempt 3: Success (database recovered)

jest.setTimeout(60_000);

describeWithProgram(
  { name: 'PostgreSQL', debianPackage: 'postgresql', isThere: hasPostgres() },
  'a database that is down, a real PostgreSQL,',
  () => {
    let postgres: OwnPostgres;
    let refused: string;
    let pool: Pool;
    let clock: FakeClock;
    let lines: Record<string, unknown>[];
    let stopLogging: () => void;

    beforeAll(async () => {
      postgres = await startPostgres();
      refused = `connect ECONNREFUSED 127.0.0.1:${postgres.port}`;
    });

    beforeEach(async () => {
      await postgres.stop();
      pool = new Pool(postgres.config as PoolConfig);
      pool.on('error', () => undefined);
      clock = new FakeClock();
      ({ lines, stop: stopLogging } = recordLines());
      store.operations.clear();
    });

    afterEach(async () => {
      stopLogging?.();
      stopTelemetry();
      await pool?.end();
    });

    afterAll(() => postgres?.end());

    /** Asks the database; it is started in the middle of the second wait. */
    async function recover(): Promise<DatabaseHealth> {
      const call = checkDatabase(pool, { clock });
      await until(() => clock.sleeps.length === 1);
      await clock.advance(clock.sleeps[0] ?? 0);
      await until(() => clock.sleeps.length === 2);
      await postgres.start();
      await clock.advance(clock.sleeps[1] ?? 0);
      return call;
    }

    /** Asks the database, which nobody starts. */
    async function giveUp(): Promise<Settled<DatabaseHealth>> {
      const call = outcomeOf(checkDatabase(pool, { clock }));
      for (const wait of [1, 2]) {
        await until(() => clock.sleeps.length === wait);
        await clock.advance(clock.sleeps.at(-1) ?? 0);
      }
      return call;
    }

    it('and recovers before the third attempt, is healthy', async () => {
      const spans = startTracing();
      const reader = startMetrics();
      expect(await recover()).toEqual({ attempts: 3, latencyMs: 0 });
      expect(clock.sleeps).toEqual([500, 1000]);

      const left = tracesOf({
        operation: 'database_health_check',
        errorType: 'ECONNREFUSED',
        message: refused,
        delays: [0.5, 1],
      });
      expect(lines).toEqual(left.lines);
      expect(seen(spans).map(({ name, parent, status, attributes }) => ({ name, parent, status, attributes }))).toEqual(
        left.spans,
      );
      expect(parseExposition(await scrape(reader)).samples).toMatchObject(left.samples);
    });

    it.each([
      [0, 0.75],
      [0.9, 2.1],
    ])('is waited for within the bounds of the jitter, by chance %p for %p s', async (random, seconds) => {
      const reader = startMetrics();
      clock.nextRandom = random;
      expect(await recover()).toMatchObject({ attempts: 3 });
      const { samples } = parseExposition(await scrape(reader));
      expect(samples['retry_delay_seconds_sum{operation="database_health_check"}']).toBeCloseTo(seconds);
    });

    it('and stays down, is given up after three attempts', async () => {
      const spans = startTracing();
      const reader = startMetrics();
      expect(await giveUp()).toMatchObject({ error: { code: 'ECONNREFUSED', message: refused } });
      expect(lines.map(({ level, message }) => [level, message])).toEqual([
        ['warn', 'Retry attempt 1/3 failed for database_health_check, waiting 0.50s'],
        ['warn', 'Retry attempt 2/3 failed for database_health_check, waiting 1.00s'],
        ['error', 'All retry attempts exhausted for database_health_check'],
      ]);
      expect(lines.at(-1)).toMatchObject({
        operation: 'database_health_check',
        attempts: 3,
        error: `ECONNREFUSED: ${refused}`,
        reason: 'attempts_exhausted',
      });
      expect(seen(spans).at(-1)).toMatchObject({
        name: 'retry database_health_check',
        status: { code: SpanStatusCode.ERROR, message: refused },
        attributes: { 'retry.attempts': 3, 'retry.outcome': 'attempts_exhausted', 'error.type': 'ECONNREFUSED' },
      });
      const { samples } = parseExposition(await scrape(reader));
      expect(samples).toMatchObject({
        'retry_calls_total{operation="database_health_check",outcome="attempts_exhausted"}': 1,
        'retry_retries_total{delay_source="backoff",operation="database_health_check"}': 2,
      });
    });
  },
);
