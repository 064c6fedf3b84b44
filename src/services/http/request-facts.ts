import { randomUUID } from 'node:crypto';
import { IDEMPOTENT_METHODS } from './http-options.ts';

/** What is known of a request before it is sent, whichever client sends it. */
export interface RequestFacts {
  /** In capitals. */
  readonly method: string;
  /** Undefined when it is none; the client will say so. */
  readonly url: URL | undefined;
  /** The key that the request has already. */
  readonly idempotencyKey: string | undefined;
  /** `'once'` for a stream: it can be read, but not again. */
  readonly body: 'repeatable' | 'once';
  /** The caller's own signal. */
  readonly signal: AbortSignal | undefined;
}

/** What a policy says of requests. */
export interface RequestRules {
  readonly methods: ReadonlySet<string>;
  readonly idempotencyKey: 'generate' | (() => string) | undefined;
}

/** How a request is sent: whether it may be sent again, and with which key of its own. */
export interface RequestPlan {
  readonly mayRepeat: boolean;
  /** The key to add; undefined where the request has one, or needs none. */
  readonly addedKey: string | undefined;
}

/** Decides by the method and the key whether a request may be sent again. */
export function planRequest({ method, idempotencyKey }: RequestFacts, rules: RequestRules): RequestPlan {
  const isKeyed = KEYED_METHODS.has(method);
  const addedKey = isKeyed && idempotencyKey === undefined ? makeKey(rules.idempotencyKey) : undefined;
  const hasKey = isKeyed && (idempotencyKey !== undefined || addedKey !== undefined);
  return { mayRepeat: rules.methods.has(method) || hasKey, addedKey };
}

/** Method and host. Any server can be asked with any method, so those that are not known share one name. */
export function operationOf({ method, url }: RequestFacts): string {
  const shown = KNOWN_METHODS.has(method) ? method : '_OTHER';
  const host = url?.host ?? '';
  return host === '' ? shown : `${shown} ${host}`.slice(0, 200);
}

/** A URL, or undefined for a text that is none. */
export function toUrl(text: unknown, base?: unknown): URL | undefined {
  try {
    return new URL(String(text), base === undefined ? undefined : String(base));
  } catch {
    return undefined;
  }
}

/** The header that makes a POST repeatable. */
export const IDEMPOTENCY_KEY = 'idempotency-key';

const KEYED_METHODS = new Set(['POST', 'PATCH']);
const KNOWN_METHODS = new Set([...IDEMPOTENT_METHODS, ...KEYED_METHODS, 'CONNECT']);

function makeKey(idempotencyKey: RequestRules['idempotencyKey']): string | undefined {
  return idempotencyKey === 'generate' ? randomUUID() : idempotencyKey?.();
}
