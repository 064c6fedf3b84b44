import { type BurnWindow, type DashboardsOptions, DEFAULTS, resolveConfig } from '../../../dashboards/src/config.ts';

const window: BurnWindow = { severity: 'critical', long: '1h', short: '5m', factor: 14.4, for: '2m' };
const but = (changed: Record<string, unknown>): unknown => [{ ...window, ...changed }];
const positive = 'a number above 0, at most 1000000000';
const share = 'a number above 0, at most 1';
const belowOne = 'a number above 0 and below 1';
const text = 'a text of at most 1000 characters';
const url = 'an http or https URL';
const duration = 'a duration such as 30s, 5m, 1h or 1d, at most 365d';
const matchers = 'label matchers such as job="shop", env!="test"';
const long = 'x'.repeat(1001);

/** Values that each option refuses, as the message shows them, and what the message says is allowed. */
const WRONG: Readonly<Record<keyof DashboardsOptions, readonly (readonly [unknown, string, string])[]>> = {
  selector: [
    [7, 'selector is 7', text],
    [long, `selector is "${'x'.repeat(99)}`, text],
    ['job', 'selector is "job"', matchers],
    ['job="a"} or vector(1)', 'selector is "job=\\"a\\"} or vector(1)"', matchers],
    ['job="a" env="b"', 'selector is "job=\\"a\\" env=\\"b\\""', matchers],
    ['job="a', 'selector is "job=\\"a"', matchers],
    ['job="a\nb"', 'selector is "job=\\"a\\nb\\""', matchers],
    // Prometheus reads strings as Go does.
    [String.raw`job=~"a\.b"`, String.raw`selector is "job=~\"a\\.b\""`, matchers],
    ['__name__="up"', 'selector is "__name__=\\"up\\""', matchers],
  ],
  jobLabel: [
    ['', 'jobLabel is ""', 'the name of a label'],
    ['service.name', 'jobLabel is "service.name"', 'the name of a label'],
    [null, 'jobLabel is null', text],
    ['operation', 'jobLabel is "operation"', 'a label that neither metrics nor alerts use themselves'],
    ['instance', 'instanceLabel is "instance"', 'other than jobLabel'],
  ],
  instanceLabel: [
    ['1st', 'instanceLabel is "1st"', 'the name of a label'],
    [['pod'], 'instanceLabel is a list', text],
    ['severity', 'instanceLabel is "severity"', 'a label that neither metrics nor alerts use themselves'],
    ['job', 'instanceLabel is "job"', 'other than jobLabel'],
  ],
  objective: [
    ['Exported', 'objective is "Exported"', 'a number above 0, at most 100'],
    [0, 'objective is 0', 'a number above 0, at most 100'],
    [101, 'objective is 101', 'a number above 0, at most 100'],
    [Number.NaN, 'objective is NaN', 'a number above 0, at most 100'],
    ['0.02', 'objective is "0.02"', 'a number above 0, at most 100'],
  ],
  maxAttempts: [
    [1, 'maxAttempts is 1', 'an integer from 2'],
    [2.5, 'maxAttempts is 2.5', 'an integer from 2'],
    [Infinity, 'maxAttempts is Infinity', 'an integer from 2'],
    ['3', 'maxAttempts is "3"', 'an integer from 2'],
  ],
  windows: [
    [[], 'windows is an empty list', 'a list of at least one window'],
    [window, 'windows is an object', 'a list of at least one window'],
    ['1h', 'windows is "1h"', 'a list of at least one window'],
    [[null], 'windows[0] is null', 'an object'],
    [[window, []], 'windows[1] is an empty list', 'an object'],
    [but({ long: '4h' }), 'windows[0].long is "4h"', 'one of 5m, 30m, 1h, 2h, 6h, 1d, 3d'],
    [but({ short: undefined }), 'windows[0].short is undefined', 'one of 5m, 30m, 1h, 2h, 6h, 1d, 3d'],
    [but({ short: '1h' }), 'windows[0].short is "1h"', 'shorter than 1h'],
    [but({ factor: 0 }), 'windows[0].factor is 0', 'a number above 0, at most 1000000'],
    [but({ factor: '6' }), 'windows[0].factor is "6"', 'a number above 0, at most 1000000'],
    [but({ for: '0s' }), 'windows[0].for is "0s"', duration],
    [but({ for: 120 }), 'windows[0].for is 120', text],
    [but({ severity: 'page' }), 'windows[0].severity is "page"', 'critical, warning or info'],
    [[window, window], 'windows[1] is "1h and 5m"', 'a pair that is not there yet'],
  ],
  timeScale: [
    [0, 'timeScale is 0', 'a number above 0, at most 1000000'],
    [2e6, 'timeScale is 2000000', 'a number above 0, at most 1000000'],
    ['60', 'timeScale is "60"', 'a number above 0, at most 1000000'],
  ],
  scrapeInterval: [
    ['15', 'scrapeInterval is "15"', 'a duration such as 30s, 5m, 1h or 1d, at most 1m'],
    ['2m', 'scrapeInterval is "2m"', 'a duration such as 30s, 5m, 1h or 1d, at most 1m'],
    [15, 'scrapeInterval is 15', text],
  ],
  minCallRate: [
    [0, 'minCallRate is 0', positive],
    [-1, 'minCallRate is -1', positive],
    [true, 'minCallRate is true', positive],
  ],
  minRetryRate: [
    [0, 'minRetryRate is 0', positive],
    [1e10, 'minRetryRate is 10000000000', positive],
    [{}, 'minRetryRate is an object', positive],
  ],
  stormAmplification: [
    [0.5, 'stormAmplification is 0.5', 'a number from 1 to 1000000000'],
    ['2', 'stormAmplification is "2"', 'a number from 1 to 1000000000'],
  ],
  stormRetryRate: [
    [0, 'stormRetryRate is 0', positive],
    [1n, 'stormRetryRate is 1', positive],
  ],
  exhaustedRatio: [
    [0, 'exhaustedRatio is 0', belowOne],
    [1, 'exhaustedRatio is 1', belowOne],
    [5, 'exhaustedRatio is 5', belowOne],
  ],
  minRecoveredRatio: [
    [0, 'minRecoveredRatio is 0', share],
    [20, 'minRecoveredRatio is 20', share],
  ],
  tokensLowRatio: [
    [-0.1, 'tokensLowRatio is -0.1', share],
    [25, 'tokensLowRatio is 25', share],
  ],
  breakerOpenFor: [
    ['', 'breakerOpenFor is ""', duration],
    ['30m1h', 'breakerOpenFor is "30m1h"', duration],
    ['366d', 'breakerOpenFor is "366d"', duration],
    ['1.5h', 'breakerOpenFor is "1.5h"', duration],
  ],
  breakerFlaps: [
    [0, 'breakerFlaps is 0', positive],
    ['3', 'breakerFlaps is "3"', positive],
  ],
  delayShare: [
    [0, 'delayShare is 0', belowOne],
    [1, 'delayShare is 1', belowOne],
  ],
  deadLetterAge: [
    ['a day', 'deadLetterAge is "a day"', duration],
    ['-1d', 'deadLetterAge is "-1d"', duration],
  ],
  runbookBase: [
    ['wiki/runbooks', 'runbookBase is "wiki/runbooks"', url],
    ['javascript:alert(1)', 'runbookBase is "javascript:alert(1)"', url],
    ['https://a/{{ .Value }}', 'runbookBase is "https://a/{{ .Value }}"', url],
  ],
  grafanaUrl: [
    ['http://', 'grafanaUrl is "http://"', url],
    ['http://a b', 'grafanaUrl is "http://a b"', url],
    [3000, 'grafanaUrl is 3000', text],
  ],
  severities: [
    ['critical', 'severities is "critical"', 'an object'],
    [null, 'severities is null', 'an object'],
    [['P1'], 'severities is a list', 'an object'],
    [{ critical: 1 }, 'severities.critical is 1', text],
    [{ warning: '' }, 'severities.warning is ""', 'a text that is not empty'],
  ],
};

const rows = Object.entries(WRONG).flatMap(([name, values]) =>
  values.map(([value, is, allowed]) => ({ name, value, is, allowed })),
);

it('knows wrong values of every option', () => {
  expect(Object.keys(WRONG).sort()).toEqual(Object.keys(DEFAULTS).sort());
});

it.each(rows)('refuses $name: $is', ({ name, value, is, allowed }) => {
  const error = errorOf(() => resolveConfig({ [name]: value } as DashboardsOptions));
  expect(error.message).toBe(`${is}; it must be ${allowed}`);
  // A number out of its range is a RangeError, anything else of the wrong kind.
  expect(error).toBeInstanceOf(
    / is -?(\d[\d.]*|NaN|Infinity)(?=;)/.test(error.message) && typeof value !== 'bigint' ? RangeError : TypeError,
  );
});

it.each<[string, object, string]>([
  [
    'an option',
    { stormAmplificaton: 3 },
    'stormAmplificaton is no option of the dashboards; there are selector, jobLabel, ',
  ],
  ['a severity', { severities: { page: 'P1' } }, 'page is no option of severities; there are critical, warning, info'],
  [
    'a part of a window',
    { windows: but({ fro: '1m' }) },
    'fro is no option of windows[0]; there are severity, long, short, factor, for',
  ],
  ['what every object has', JSON.parse('{"__proto__": 1}'), '__proto__ is no option of the dashboards'],
])('refuses %s that it does not know, and tells those that it does', (_what, options, message) => {
  const error = errorOf(() => resolveConfig(options));
  expect(error).toBeInstanceOf(TypeError);
  expect(error.message).toContain(message);
});

it.each([null, [], 'objective', 3])('refuses %p in place of options', options => {
  expect(errorOf(() => resolveConfig(options as DashboardsOptions)).message).toMatch(
    /^options is .*; it must be an object$/,
  );
});

describe('a threshold that can never be reached', () => {
  it.each<[string, DashboardsOptions, string]>([
    [
      'a factor of the default windows',
      { objective: 0.15 },
      'windows[0].factor is 14.4, which can never be reached: 14.4 times 0.15 retries per call is not below the 2 that 3 attempts allow. Lower the factor or the objective',
    ],
    [
      'a factor at the very limit',
      { windows: [{ ...window, factor: 100 }] },
      'windows[0].factor is 100, which can never be reached: 100 times 0.02',
    ],
    [
      'a storm of as many attempts as there are',
      { stormAmplification: 3 },
      'stormAmplification is 3, which 3 attempts can never exceed; it must be below maxAttempts',
    ],
    [
      'the default storm, of two attempts',
      { maxAttempts: 2 },
      'stormAmplification is 2, which 2 attempts can never exceed',
    ],
  ])('is refused: %s', (_what, options, message) => {
    const error = errorOf(() => resolveConfig(options));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toContain(message);
  });

  it('is accepted where there are more attempts', () => {
    expect(resolveConfig({ objective: 0.15, maxAttempts: 4 }).objective).toBe(0.15);
    expect(resolveConfig({ stormAmplification: 3, maxAttempts: 4 }).stormAmplification).toBe(3);
    expect(resolveConfig({ maxAttempts: 2, stormAmplification: 1.5 }).maxAttempts).toBe(2);
  });
});

it('fills in what is left out, or undefined', () => {
  expect(resolveConfig()).toEqual(DEFAULTS);
  const nothing = Object.fromEntries(Object.keys(DEFAULTS).map(name => [name, undefined]));
  expect(resolveConfig(nothing)).toEqual(DEFAULTS);
  expect(resolveConfig({ severities: { critical: 'P1' } }).severities).toEqual({
    critical: 'P1',
    warning: 'warning',
    info: 'info',
  });
});

it('cannot be changed afterwards', () => {
  const config = resolveConfig({ severities: { info: 'low' } });
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.severities)).toBe(true);
});

it.each(['job="shop"', ' job = "shop" , env !~ "a|b" ', String.raw`path=~"C:\\\\.+\t\"é\u00e9\x41"`, '', 'a=""'])(
  'accepts the selector %p',
  selector => {
    expect(resolveConfig({ selector }).selector).toBe(selector);
  },
);

function errorOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
