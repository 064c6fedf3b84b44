import { createRequire } from 'node:module';
import * as api from '@opentelemetry/api';

/** What is used of a copy of the OpenTelemetry API: the objects through which an SDK registers its parts. */
export type ApiCopy = Readonly<Record<string, unknown>>;

/** The copies through which an app may register an SDK: ES modules may have another one than CommonJS. */
export async function apiCopies(): Promise<ApiCopy[]> {
  const load = createRequire(import.meta.url);
  return [api, load('@opentelemetry/api'), await import('@opentelemetry/api'), ...logsApi(load)];
}

/** Before 1.10 the API had no logs: they are registered through a package that comes with the SDK. */
function logsApi(load: NodeJS.Require): ApiCopy[] {
  if ('logs' in api) return [];
  try {
    return [createRequire(load.resolve('@opentelemetry/sdk-node'))('@opentelemetry/api-logs')];
  } catch {
    // An SDK that comes without it has registered nothing there.
    return [];
  }
}
