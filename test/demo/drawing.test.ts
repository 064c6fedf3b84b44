import type { CallTrace } from '../../examples/demo/call-trace.ts';
import { readOptions } from '../../examples/demo/options.ts';
import { behaviourAt, PHASES, phaseAt } from '../../examples/demo/phases.ts';
import { seeded } from '../../examples/demo/random.ts';
import { formatMs, styleFor } from '../../examples/demo/style.ts';
import { drawSummary } from '../../examples/demo/summary.ts';
import { Tally } from '../../examples/demo/tally.ts';
import { drawWaterfall } from '../../examples/demo/waterfall.ts';

const plain = styleFor('off');

const recovered: CallTrace = {
  traceId: '61e359e07f6c18ea153b881794ff35fd',
  operation: 'price_quote',
  outcome: 'success_after_retry',
  durationMs: 1000,
  waitedMs: 500,
  attempts: [
    { number: 1, startMs: 0, durationMs: 200, errorType: '503', next: 'retry', nextDelayMs: 500, delaySource: 'none' },
    {
      number: 2,
      startMs: 700,
      durationMs: 300,
      errorType: undefined,
      next: undefined,
      nextDelayMs: undefined,
      delaySource: 'backoff',
    },
  ],
};
const failed: CallTrace = {
  ...recovered,
  outcome: 'attempts_exhausted',
  durationMs: 100,
  attempts: [
    {
      number: 1,
      startMs: 0,
      durationMs: 100,
      errorType: 'ERR_RETRY_ATTEMPT_TIMEOUT',
      next: 'attempts_exhausted',
      nextDelayMs: undefined,
      delaySource: 'none',
    },
  ],
};

describe('the waterfall', () => {
  it('draws attempts and waits to scale', () => {
    expect(drawWaterfall(recovered, plain, 94)).toBe(
      [
        '✓ price_quote  recovered in attempt 2                                   1.00 s  trace 61e359e0',
        '  attempt 1 ━━━━━━━━                                 ✗ 503 → retry in 500 ms',
        '  attempt 2         ····················━━━━━━━━━━━━ ✓ 300 ms',
      ].join('\n'),
    );
  });

  it('says why a call stopped', () => {
    expect(drawWaterfall(failed, plain, 94)).toBe(
      [
        '✗ price_quote  attempts exhausted                                       100 ms  trace 61e359e0',
        '  attempt 1 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ ✗ ATTEMPT_TIMEOUT → attempts exhausted',
      ].join('\n'),
    );
  });

  it('fits its width, whatever the numbers', () => {
    for (const durationMs of [0, 0.3, 1e7]) {
      const lines = drawWaterfall({ ...recovered, durationMs }, plain, 100).split('\n');
      expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(100);
    }
  });

  it('has colours where they are wanted', () => {
    expect(drawWaterfall(recovered, styleFor('on'), 100)).toContain('\u001b[32m');
  });
});

describe('the summary', () => {
  it('counts what the spans told, in at most 100 columns', () => {
    const tally = new Tally();
    for (let i = 0; i < 8; i++)
      tally.add({
        ...recovered,
        operation: 'payment_authorize',
        outcome: 'success',
        durationMs: 10 * i,
        waitedMs: 0,
        attempts: recovered.attempts.slice(1),
      });
    tally.add(recovered);
    tally.add(failed);
    const text = drawSummary(tally.read(), plain);
    expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(100);
    expect(text).toBe(
      [
        '┌──────────────────┬──────┬────────┬──────────┬────────┬─────────┬───────┬───────┬───────┬───────┐',
        '│operation         │calls │success │recovered │gave up │attempts │   p50 │   p95 │   p99 │waited │',
        '├──────────────────┼──────┼────────┼──────────┼────────┼─────────┼───────┼───────┼───────┼───────┤',
        '│payment_authorize │    8 │100.0 % │        0 │      0 │    1.00 │ 40 ms │ 70 ms │ 70 ms │  0 ms │',
        '│price_quote       │    2 │ 50.0 % │        1 │      1 │    1.50 │1.00 s │1.00 s │1.00 s │1.00 s │',
        '│all               │   10 │ 90.0 % │        1 │      1 │    1.10 │       │       │       │1.00 s │',
        '└──────────────────┴──────┴────────┴──────────┴────────┴─────────┴───────┴───────┴───────┴───────┘',
        '',
        'Calls by outcome',
        '  succeeded at once          8  80.0 %  ████████████████████████████████',
        '  recovered                  1  10.0 %  ████',
        '  attempts exhausted         1  10.0 %  ████',
      ].join('\n'),
    );
  });

  it('takes a call that waits in a queue neither for one that succeeded nor for one that was given up', () => {
    const tally = new Tally();
    tally.add(recovered);
    tally.add({ ...failed, outcome: 'handed_over' });
    expect(drawSummary(tally.read(), plain).split('\n')[3]).toBe(
      '│price_quote │    2 │100.0 % │        1 │      0 │    1.50 │1.00 s │1.00 s │1.00 s │1.00 s │',
    );
  });

  it('writes times for people', () => {
    expect([0, 12.4, 999.4, 999.6, 61_234].map(formatMs)).toEqual(['0 ms', '12 ms', '999 ms', '1.00 s', '61.23 s']);
  });
});

describe('the course of events', () => {
  it('is the same for the same seed', () => {
    const row = (seed: number): number[] => Array.from({ length: 5 }, seeded(seed));
    expect(row(7)).toEqual(row(7));
    expect(row(7)).not.toEqual(row(8));
    expect(row(7).every(number => number >= 0 && number < 1)).toBe(true);
  });

  it('has its phases in order, again and again', () => {
    expect([0, 0.3, 0.6, 0.9, 1.3].map(progress => phaseAt(progress).name)).toEqual([
      'healthy',
      'flaky',
      'outage',
      'recovery',
      'flaky',
    ]);
    expect(PHASES.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  });

  it('lets nothing through in an outage, and most of it when healthy', () => {
    const [healthy, , outage] = PHASES;
    expect([0, 0.5, 0.99].map(random => behaviourAt(outage as never, random))).toEqual(['503', 'reset', 'hang']);
    expect(behaviourAt(healthy as never, 0.5)).toBe('ok');
  });
});

describe('the command line', () => {
  it('has defaults, and switches', () => {
    expect(readOptions([], 'pipe')).toEqual({ seconds: 30, seed: 1, port: 9464, servicePort: 0, colour: 'off' });
    expect(readOptions(['--forever', '--port', '0'], 'pipe')).toMatchObject({ seconds: Infinity, port: 0 });
    expect(readOptions(['--help'], 'pipe')).toBe('help');
    expect(() => readOptions(['--seconds', 'x'], 'pipe')).toThrow(
      '--seconds is x; it must be a number from 1 to 86400',
    );
    expect(() => readOptions(['--loud'], 'pipe')).toThrow("Unknown option '--loud'");
  });
});
