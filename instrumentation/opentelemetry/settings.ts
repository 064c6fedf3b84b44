import { type Check, checkOptions, oneOf, withFunctions } from '../../src/engine/option-checks.ts';
import type { OpenTelemetryOptions } from './options.ts';

/**
 * Changes how the main entry shows calls in OpenTelemetry: those of every policy without an `observer` of its own, from
 * the next call on. Options that are left out go back to their defaults.
 *
 * @throws TypeError when an option is wrong or unknown
 *
 * @example
 * ```ts
 * configureOpenTelemetry({ attemptSpans: 'retries' });
 * ```
 */
export function configureOpenTelemetry(options: OpenTelemetryOptions): void {
  processSettings.options = checked(options);
}

/** Options that may be replaced while an observer lives. */
export interface Settings {
  options: OpenTelemetryOptions;
}

const KEY = Symbol.for('retryscope.opentelemetry.1');
const shared = globalThis as { [KEY]?: Settings };

/** What observers without options of their own follow; shared by the copies of the package in a process. */
export const processSettings: Settings = shared[KEY] ?? { options: {} };
shared[KEY] = processSettings;

const CHECKS: Readonly<Record<keyof OpenTelemetryOptions, Check>> = {
  attemptSpans: oneOf('always', 'retries', 'never'),
  metrics: oneOf('auto', 'none'),
  tracerProvider: withFunctions('a TracerProvider', 'getTracer'),
  meterProvider: withFunctions('a MeterProvider', 'getMeter'),
};

/** The options themselves, when they are right. */
export function checked(options: OpenTelemetryOptions): OpenTelemetryOptions {
  checkOptions('the options of OpenTelemetry', options, CHECKS);
  return { ...options };
}
