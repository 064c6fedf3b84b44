import { LABELS, labelName } from '../../instrumentation/names.ts';
import { seconds } from './duration.ts';

/** Everything that may be set about dashboards, rules and alerts. All have a default. */
export interface DashboardsOptions {
  /** Label matchers without braces, such as `job="shop"`, put into every selector. Default none. */
  readonly selector?: string;
  /** The label that names a service. Default `job`. */
  readonly jobLabel?: string;
  /** The label that names a process of it. Default `instance`. */
  readonly instanceLabel?: string;
  /**
   * Retries per call that the burn alerts allow: a number of your own for all operations, or `exported`, which takes
   * `retry_objective_ratio` of each operation (0.02 unless the service has set another). Default `exported`.
   */
  readonly objective?: 'exported' | number;
  /** The most attempts that a policy makes, for the check that every burn factor can be reached. Default 3. */
  readonly maxAttempts?: number;
  /** The windows of the burn-rate alerts. Default: those of the SRE workbook, for 30 days. */
  readonly windows?: readonly BurnWindow[];
  /** Divides every duration of rules and alerts; tests see in seconds what takes hours. Default 1. */
  readonly timeScale?: number;
  /** How often Prometheus scrapes, at most `1m`: rates over five minutes need several scrapes. Default `15s`. */
  readonly scrapeInterval?: string;
  /** Calls per second below which ratios raise no alert. Default 0.1. */
  readonly minCallRate?: number;
  /** Retries per second below which retries raise no alert. Default 0.1. */
  readonly minRetryRate?: number;
  /** Attempts per call above which there is a storm. Default 2. */
  readonly stormAmplification?: number;
  /** Retries per second below which there is no storm. Default 1. */
  readonly stormRetryRate?: number;
  /** Share of calls that may give up after retries. Default 0.05. */
  readonly exhaustedRatio?: number;
  /** Share of retried calls that have to recover for retries to be worth it. Default 0.2. */
  readonly minRecoveredRatio?: number;
  /** Share of a budget's tokens below which it is low. Default 0.25. */
  readonly tokensLowRatio?: number;
  /** How long a breaker may be open. Default `5m`. */
  readonly breakerOpenFor?: string;
  /** Times that a breaker may close again in 15 minutes. Default 3. */
  readonly breakerFlaps?: number;
  /** Share of the callers' time that may be spent waiting between attempts. Default 0.5. */
  readonly delayShare?: number;
  /** The oldest that a dead letter may get. Default `1d`. */
  readonly deadLetterAge?: string;
  /** Where the runbooks are: the name of the alert and `.md` are put behind it. */
  readonly runbookBase?: string;
  /** Where Grafana is, for links from alerts to dashboards. Default `http://localhost:3000`. */
  readonly grafanaUrl?: string;
  /** Values of the label `severity`. Default `critical`, `warning` and `info`. */
  readonly severities?: Partial<Readonly<Record<Severity, string>>>;
}

/** How urgent an alert is. */
export type Severity = 'critical' | 'warning' | 'info';

/** One pair of windows of a burn-rate alert: both have to burn the budget `factor` times too fast. */
export interface BurnWindow {
  readonly severity: Severity;
  readonly long: Window;
  readonly short: Window;
  readonly factor: number;
  /** How long it has to last, such as `2m`. */
  readonly for: string;
}

/** A window for which retries per call are recorded. */
export type Window = (typeof WINDOWS)[number];

/** Every window for which retries per call are recorded, the shortest first. */
export const WINDOWS = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'] as const;

const WINDOW_KEYS: Readonly<Record<keyof BurnWindow, true>> = {
  severity: true,
  long: true,
  short: true,
  factor: true,
  for: true,
};

/** All options, with their defaults filled in and checked. */
export type DashboardsConfig = Readonly<Required<Omit<DashboardsOptions, 'severities'>>> & {
  readonly severities: Readonly<Record<Severity, string>>;
};

/** What holds where an option is left out. */
export const DEFAULTS: DashboardsConfig = Object.freeze({
  selector: '',
  jobLabel: 'job',
  instanceLabel: 'instance',
  objective: 'exported',
  maxAttempts: 3,
  windows: Object.freeze<BurnWindow[]>([
    { severity: 'critical', long: '1h', short: '5m', factor: 14.4, for: '2m' },
    { severity: 'critical', long: '6h', short: '30m', factor: 6, for: '15m' },
    { severity: 'warning', long: '1d', short: '2h', factor: 3, for: '1h' },
    { severity: 'warning', long: '3d', short: '6h', factor: 1, for: '3h' },
  ]),
  timeScale: 1,
  scrapeInterval: '15s',
  minCallRate: 0.1,
  minRetryRate: 0.1,
  stormAmplification: 2,
  stormRetryRate: 1,
  exhaustedRatio: 0.05,
  minRecoveredRatio: 0.2,
  tokensLowRatio: 0.25,
  breakerOpenFor: '5m',
  breakerFlaps: 3,
  delayShare: 0.5,
  deadLetterAge: '1d',
  // Whatever is in the package can be read there, without a repository.
  runbookBase: 'https://unpkg.com/retryscope/dashboards/runbooks',
  grafanaUrl: 'http://localhost:3000',
  severities: Object.freeze({ critical: 'critical', warning: 'warning', info: 'info' }),
});

/** The least that rates over five minutes can live with. */
const SLOWEST_SCRAPE = '1m';

/** A job or an instance of one of these names would be taken for something else. */
const OWN_LABELS: ReadonlySet<string> = new Set([
  ...Object.values(LABELS).map(labelName),
  '__name__',
  'alertname',
  'le',
  'long',
  'severity',
  'short',
]);

/** Longer ones may not fit into what Prometheus counts in. */
const LONGEST = '365d';

/** The objective of an operation that has set none, and what `exported` is taken for in checks. */
export const DEFAULT_OBJECTIVE = 0.02;

/**
 * Fills in the defaults and checks everything.
 *
 * @throws TypeError or RangeError that names the option, its value and what is allowed; an unknown option is refused,
 * and so is a threshold that can never be reached, such as a burn factor above what `maxAttempts - 1` retries per call
 * make
 */
export function resolveConfig(options: DashboardsOptions = {}): DashboardsConfig {
  checkKeys('the dashboards', record('options', options), DEFAULTS);
  const config: DashboardsConfig = Object.freeze({
    ...DEFAULTS,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    severities: severities(options.severities),
  });
  checkSelector(config.selector);
  for (const name of ['jobLabel', 'instanceLabel'] as const) {
    if (!/^[a-zA-Z_]\w*$/.test(text(name, config[name]))) throw wrong(name, config[name], 'the name of a label');
    if (OWN_LABELS.has(config[name]))
      throw wrong(name, config[name], 'a label that neither metrics nor alerts use themselves');
  }
  if (config.instanceLabel === config.jobLabel) {
    throw wrong('instanceLabel', config.instanceLabel, 'other than jobLabel');
  }
  if (config.objective !== 'exported') number('objective', config.objective, 0, 100);
  if (!Number.isInteger(config.maxAttempts) || config.maxAttempts < 2) {
    throw wrong('maxAttempts', config.maxAttempts, 'an integer from 2');
  }
  number('timeScale', config.timeScale, 0, 1e6);
  duration('scrapeInterval', config.scrapeInterval, SLOWEST_SCRAPE);
  for (const name of ['breakerOpenFor', 'deadLetterAge'] as const) duration(name, config[name]);
  for (const name of ['minRecoveredRatio', 'tokensLowRatio'] as const) number(name, config[name], 0, 1);
  // No share is above 1, so an alert above 1 would never fire.
  for (const name of ['exhaustedRatio', 'delayShare'] as const) between(name, config[name], 0, 1);
  for (const name of ['minCallRate', 'minRetryRate', 'stormRetryRate', 'breakerFlaps'] as const) {
    number(name, config[name], 0, 1e9);
  }
  number('stormAmplification', config.stormAmplification, 1, 1e9);
  if (config.stormAmplification >= config.maxAttempts) {
    throw new RangeError(
      `stormAmplification is ${config.stormAmplification}, which ${config.maxAttempts} attempts can never exceed; it must be below maxAttempts`,
    );
  }
  for (const name of ['runbookBase', 'grafanaUrl'] as const) checkUrl(name, config[name]);
  checkWindows(config);
  return config;
}

/** A misspelt option must not be taken for one that was left out. */
function checkKeys(what: string, given: object, known: object): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue;
    throw new TypeError(`${name} is no option of ${what}; there are ${Object.keys(known).join(', ')}`);
  }
}

function severities(given: DashboardsOptions['severities']): DashboardsConfig['severities'] {
  if (given === undefined) return DEFAULTS.severities;
  checkKeys('severities', record('severities', given), DEFAULTS.severities);
  for (const [name, value] of Object.entries(given)) {
    // An empty label is none, and an alert without it finds no route.
    if (text(`severities.${name}`, value) === '') throw wrong(`severities.${name}`, value, 'a text that is not empty');
  }
  return Object.freeze({ ...DEFAULTS.severities, ...given });
}

function checkWindows({ windows, objective, maxAttempts }: DashboardsConfig): void {
  if (!Array.isArray(windows) || windows.length === 0) throw wrong('windows', windows, 'a list of at least one window');
  const ratio = objective === 'exported' ? DEFAULT_OBJECTIVE : objective;
  for (const [index, window] of (windows as readonly BurnWindow[]).entries()) {
    const at = (key: string): string => `windows[${index}].${key}`;
    checkKeys(`windows[${index}]`, record(`windows[${index}]`, window), WINDOW_KEYS);
    for (const key of ['long', 'short'] as const) {
      if (!WINDOWS.includes(window[key])) throw wrong(at(key), window[key], `one of ${WINDOWS.join(', ')}`);
    }
    if (WINDOWS.indexOf(window.short) >= WINDOWS.indexOf(window.long)) {
      throw wrong(at('short'), window.short, `shorter than ${window.long}`);
    }
    number(at('factor'), window.factor, 0, 1e6);
    duration(at('for'), window.for);
    if (!Object.hasOwn(DEFAULTS.severities, window.severity)) {
      throw wrong(at('severity'), window.severity, 'critical, warning or info');
    }
    if (windows.findIndex(({ long, short }) => long === window.long && short === window.short) < index) {
      throw wrong(`windows[${index}]`, `${window.long} and ${window.short}`, 'a pair that is not there yet');
    }
    if (window.factor * ratio >= maxAttempts - 1) {
      throw new RangeError(
        `${at('factor')} is ${window.factor}, which can never be reached: ${window.factor} times ${ratio} retries per call ` +
          `is not below the ${maxAttempts - 1} that ${maxAttempts} attempts allow. Lower the factor or the objective`,
      );
    }
  }
}

/** Enough of a check that what is put between braces stays there: names, operators and closed strings. */
function checkSelector(selector: string): void {
  const escaped = String.raw`\\(["\\abfnrtv]|x[\da-fA-F]{2}|u[\da-fA-F]{4})`;
  const matcher = String.raw`\s*(?!__name__\b)[a-zA-Z_]\w*\s*(=|!=|=~|!~)\s*"([^"\\\n]|${escaped})*"\s*`;
  if (text('selector', selector) !== '' && !new RegExp(`^${matcher}(,${matcher})*$`).test(selector)) {
    throw wrong('selector', selector, 'label matchers such as job="shop", env!="test"');
  }
}

function checkUrl(name: string, value: string): void {
  if (!/^https?:\/\/[^\s"'<>{}\\]+$/.test(text(name, value)) || !URL.canParse(value)) {
    throw wrong(name, value, 'an http or https URL');
  }
}

function duration(name: string, value: unknown, longest: string = LONGEST): void {
  const given = seconds(text(name, value));
  if (given > 0 && given <= seconds(longest)) return;
  throw wrong(name, value, `a duration such as 30s, 5m, 1h or 1d, at most ${longest}`);
}

function between(name: string, value: unknown, above: number, below: number): void {
  if (typeof value !== 'number' || !(value > above && value < below)) {
    throw wrong(name, value, `a number above ${above} and below ${below}`);
  }
}

function number(name: string, value: unknown, least: number, most: number): void {
  if (typeof value !== 'number' || !(value > least || (value === least && least === 1)) || value > most) {
    throw wrong(name, value, least === 1 ? `a number from 1 to ${most}` : `a number above ${least}, at most ${most}`);
  }
}

function record<T extends object>(name: string, value: T): T {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw wrong(name, value, 'an object');
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value.length <= 1000) return value;
  throw wrong(name, value, 'a text of at most 1000 characters');
}

function wrong(name: string, value: unknown, allowed: string): TypeError | RangeError {
  const message = `${name} is ${shown(value).slice(0, 100)}; it must be ${allowed}`;
  return typeof value === 'number' ? new RangeError(message) : new TypeError(message);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
