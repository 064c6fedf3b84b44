import { retrySummary } from '../../src/core.ts';
import { createRetryFetch, HttpStatusError, retryFetch } from '../../src/services/http/index.ts';
import { recordCalls } from '../../src/testing/index.ts';
import { until } from '../redis/support/until.ts';
import { describeWithProgram } from '../support/needs-program.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { hasNginx, type OwnNginx, startNginx } from './nginx.ts';

// Real servers on real time, on machines that may be busy.
jest.setTimeout(60_000);

describeWithProgram(
  { name: 'nginx', debianPackage: 'nginx-light', isThere: hasNginx() },
  'retryFetch against an nginx in trouble',
  () => {
    let nginx: OwnNginx;
    let proxy: FaultProxy;
    let test = 0;
    beforeAll(async () => {
      nginx = await startNginx();
      proxy = await startFaultProxy({ to: { port: Number(new URL(nginx.origin).port) } });
    });
    beforeEach(() => {
      test++;
      nginx.turn('on');
      proxy.heal();
    });
    afterAll(async () => {
      await proxy?.end();
      await nginx?.end();
    });

    const quick = { initialDelay: 1, budget: 'none' } as const;
    const marked = (): { headers: Record<string, string> } => ({ headers: { 'x-test': `test-${test}` } });
    const requests = (): string[] => nginx.requests(`test-${test}`);
    /** nginx writes its log a moment after it has answered. */
    const expectRequests = async (expected: readonly string[]): Promise<void> => {
      await until(() => requests().length >= expected.length);
      expect(requests()).toEqual(expected);
    };

    it('waits as long as the server asks', async () => {
      const observer = recordCalls();
      const response = await retryFetch(`${nginx.origin}/down`, marked(), { ...quick, maxAttempts: 2, observer });
      expect(response.status).toBe(503);
      expect(await response.text()).toBe('down');
      expect(retrySummary(response)?.totalDelayMs).toBeGreaterThanOrEqual(1000);
      expect(observer.calls[0]?.attempts[1]?.info.delaySource).toBe('retry_after');
      await expectRequests(['GET /down 503', 'GET /down 503']);
    });

    it('succeeds once the server has recovered', async () => {
      nginx.turn('off');
      const call = retryFetch(`${nginx.origin}/switch`, marked(), { ...quick, onRetry: () => nginx.turn('on') });
      expect((await call).status).toBe(200);
      await expectRequests(['GET /switch 503', 'GET /switch 200']);
    });

    it('gets its answer from a server that fails by chance', async () => {
      const patient = createRetryFetch({ ...quick, maxAttempts: 12 });
      const answers = await Promise.all(Array.from({ length: 60 }, () => patient(`${nginx.origin}/coin`, marked())));
      expect(answers.map(({ status }) => status)).toEqual(Array(60).fill(200));
      await until(() => requests().length > 60);
      await Promise.all(answers.map(answer => answer.text()));
    });

    it('gets all of its answers from a server that limits the rate', async () => {
      const patient = createRetryFetch({ initialDelay: 60, maxDelay: 1000, maxAttempts: 12, budget: 'none' });
      const answers = await Promise.all(Array.from({ length: 10 }, () => patient(`${nginx.origin}/limited`, marked())));
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
      await until(() => requests().includes('GET /limited 429'));
      await Promise.all(answers.map(answer => answer.text()));
    });

    it('asks again when the server drops the connection, and gives the error of fetch at last', async () => {
      const error = await retryFetch(`${nginx.origin}/drop`, marked(), quick).catch(e => e);
      expect(error).toMatchObject({ name: 'TypeError', message: 'fetch failed' });
      expect(retrySummary(error)).toMatchObject({ attempts: 3, reason: 'attempts_exhausted' });
      await expectRequests(Array(3).fill('GET /drop 444'));
    });

    it('sends no POST to a dropped connection again', async () => {
      await retryFetch(`${nginx.origin}/drop`, { ...marked(), method: 'POST', body: 'x' }, quick).catch(e => e);
      await expectRequests(['POST /drop 444']);
    });

    it('follows a redirect anew in each attempt', async () => {
      const options = { ...quick, maxAttempts: 2, onHttpError: 'throw' } as const;
      const error = await retryFetch(`${nginx.origin}/moved`, marked(), options).catch(e => e);
      expect(error).toBeInstanceOf(HttpStatusError);
      expect((error as HttpStatusError).response.redirected).toBe(true);
      await expectRequests(['GET /moved 302', 'GET /down 503', 'GET /moved 302', 'GET /down 503']);
    });

    it.each([
      ['resets connections', { mode: 'reset' }, 2000],
      ['hangs', { mode: 'hang' }, 300],
      ['cuts off in the middle of the headers', { cutAfterBytes: 20 }, 2000],
      ['drops every connection', { dropRate: 1 }, 2000],
    ] as const)('gets through a network that %s and heals', async (_, fault, attemptTimeout) => {
      proxy.set(fault);
      // A connection of its own for each call: the pool would hand on one from before.
      const headers = { ...marked().headers, connection: 'close' };
      // A healed network may be slow as well, on a busy machine.
      const options = { ...quick, maxAttempts: 30, attemptTimeout, onRetry: () => proxy.heal() };
      const response = await retryFetch(`http://127.0.0.1:${proxy.port}/ok`, { headers }, options);
      expect(await response.text()).toBe('fine');
      await until(() => requests().includes('GET /ok 200'));
    });
  },
);
