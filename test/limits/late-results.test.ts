import { lateResults, retry } from '../../src/core.ts';
import { countLateResult } from '../../src/engine/late-results.ts';
import { runtime } from '../../src/engine/runtime.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { outcomeOf } from '../support/settle.ts';

beforeEach(() => runtime.lateResults.clear());

it('counts what attempts bring after their call has stopped waiting, and lets nobody see it', async () => {
  const clock = new FakeClock();
  const unhandled = jest.fn();
  process.on('unhandledRejection', unhandled);
  const gates = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const call = outcomeOf(
    retry(({ number }) => gates[number - 1]?.promise, {
      clock,
      operation: 'slow',
      attemptTimeout: 50,
      maxAttempts: 2,
      initialDelay: 10,
      jitter: false,
    }),
  );
  await clock.runAll();
  expect(await call).toEqual({ error: expect.objectContaining({ code: 'ERR_RETRY_ATTEMPT_TIMEOUT' }) });
  expect(lateResults().size).toBe(0);
  gates[0]?.resolve('late');
  gates[1]?.reject(new Error('later'));
  await new Promise(setImmediate);
  process.off('unhandledRejection', unhandled);
  expect(lateResults().get('slow')).toEqual({ success: 1, failure: 1 });
  expect(unhandled).not.toHaveBeenCalled();
});

it('counts nothing that was on time', async () => {
  const clock = new FakeClock();
  const { signal } = new AbortController();
  await retry(() => 1, { clock, attemptTimeout: 50, signal });
  await outcomeOf(retry(() => Promise.reject(new TypeError('x')), { clock, attemptTimeout: 50, signal }));
  expect(lateResults().size).toBe(0);
});

it('tells 200 operations apart', () => {
  for (let i = 0; i < 300; i++) countLateResult(`operation ${i}`, 'success');
  countLateResult('operation 5', 'failure');
  expect(lateResults().size).toBe(201);
  expect(lateResults().get('other')).toEqual({ success: 100, failure: 0 });
  expect(lateResults().get('operation 5')).toEqual({ success: 1, failure: 1 });
});
