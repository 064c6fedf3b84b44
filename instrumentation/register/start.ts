import { isInternalThread } from 'node:worker_threads';
import { addObserver } from '../../src/engine/default-observer.ts';
import { findPolicyFile } from '../../src/services/policy-file/index.ts';
import { addDefaultObservers } from '../default-observers.ts';
import { LIBRARIES } from '../libraries/index.ts';
import { retryContextProcessor } from '../opentelemetry/index.ts';
import { patchWhenLoaded } from './bridge.ts';
import { disabledNames } from './disabled.ts';
import { hookModules } from './module-hooks.ts';
import { ResendMarker } from './resend.ts';
import { startSdk } from './sdk/start-sdk.ts';
import { MARKED, readPolicyFile } from './service-rules.ts';
import { patchGlobalFetch } from './services/fetch.ts';
import { SERVICES } from './services/index.ts';
import { FETCH, supported } from './supported.ts';
import { warn } from './warn.ts';

/**
 * Puts everything in place, once in a process, whichever copies of the package are told to. Never rejects: an app is
 * not to fail because of what was to watch it.
 */
export function start(): Promise<void> {
  // The thread in which some versions of Node load modules: what is preloaded comes along, and no app ever runs there.
  if (isInternalThread) return Promise.resolve();
  shared[KEY] ??= startOnce();
  return shared[KEY];
}

async function startOnce(): Promise<void> {
  try {
    hook();
    await Promise.all([readPolicyFile(), startSdk()]);
  } catch (fault) {
    warn(
      'RETRYSCOPE_REGISTER',
      `retryscope/register could not do all of its work: ${String((fault as Error).message)}`,
    );
  }
}

/** What has to be there before the app is loaded, and therefore waits for nothing. */
function hook(): void {
  addDefaultObservers();
  const hasRules = findPolicyFile() !== undefined;
  const disabled = disabledNames(supported().map(({ name }) => name));
  const marker = new ResendMarker(retryContextProcessor());
  marker.refresh();
  addObserver({
    call: ({ maxAttempts }) => {
      marker.refresh();
      // A breaker makes one attempt: whatever is inside is still for somebody to retry.
      return hasRules && maxAttempts > 1 ? MARKED : undefined;
    },
  });
  const wanted = [...LIBRARIES, ...(hasRules ? SERVICES : [])].filter(({ name }) => !disabled.has(name));
  if (hasRules && !disabled.has(FETCH)) patchGlobalFetch();
  const api = hookModules(wanted);
  if (api !== undefined) patchWhenLoaded(api, wanted);
}

const KEY = Symbol.for('retryscope.register.1');
const shared = globalThis as { [KEY]?: Promise<void> };
