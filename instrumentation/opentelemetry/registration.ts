import type { TracerProvider } from '@opentelemetry/api';

/**
 * Where all copies of API 1.x in a process meet. It is what makes them work together, so it stays as it is within 1.x;
 * still, it only saves time and warns here: what is registered is asked of the API.
 */
const KEY = Symbol.for('opentelemetry.js.api.1');
const meeting = globalThis as { [KEY]?: { readonly version?: string; readonly trace?: unknown } };

/** False as long as nothing at all has been registered with any copy of the API. */
export function isAnythingRegistered(): boolean {
  return meeting[KEY] !== undefined;
}

/**
 * Says once when an SDK is registered that our copy of the API does not see: it happens when the SDK came with an older
 * copy, and nothing else would tell.
 *
 * @param seen the provider that our copy gives
 */
export function warnOfHiddenSdk(seen: TracerProvider): void {
  const registered = meeting[KEY];
  if (isWarned || registered?.trace === undefined || registered.trace === seen) return;
  isWarned = true;
  process.emitWarning(
    `An OpenTelemetry SDK is registered through @opentelemetry/api ${registered.version}, which the newer copy that retryscope loads cannot see: there will be no spans and metrics of retries. Install a single copy of @opentelemetry/api.`,
    { type: 'RetryscopeWarning', code: 'RETRYSCOPE_HIDDEN_SDK' },
  );
}

let isWarned = false;
