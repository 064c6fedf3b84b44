import { toUrl } from '../../../src/services/http/request-facts.ts';
import type { ServiceCall } from '../../../src/services/policy-file/index.ts';

/** A request as the rules of the policy file see it. */
export function httpCall(method: unknown, url: unknown): ServiceCall {
  const parsed = toUrl(url);
  return {
    kind: 'http',
    method: typeof method === 'string' ? method.toUpperCase() : 'GET',
    host: parsed?.host,
    path: parsed?.pathname,
  };
}
