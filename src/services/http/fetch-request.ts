import { read } from '../../engine/read.ts';
import { isOneShot } from './one-shot.ts';
import { IDEMPOTENCY_KEY, type RequestFacts, toUrl } from './request-facts.ts';

/** What fetch was called with, as far as retries are concerned. */
export interface FetchRequest extends RequestFacts {
  /** The first argument, where it is a Request. */
  readonly request: Request | undefined;
  readonly init: Readonly<Record<string, unknown>>;
  /** A function that makes the body anew for each attempt. */
  readonly makeBody: (() => unknown) | undefined;
}

/** Reads the arguments of fetch. Throws what their getters throw. */
export function readFetchArguments(input: unknown, given: unknown): FetchRequest {
  const init = readInit(given);
  const request = isRequest(input) ? input : undefined;
  const { body, signal } = init;
  return {
    request,
    init,
    method: String(init.method ?? request?.method ?? 'GET').toUpperCase(),
    url: toUrl(request?.url ?? input),
    idempotencyKey: headerOf(init.headers ?? request?.headers, IDEMPOTENCY_KEY),
    body: isOneShot(body) ? 'once' : 'repeatable',
    makeBody: typeof body === 'function' ? (body as () => unknown) : undefined,
    // fetch itself refuses what is no signal.
    signal: toSignal(signal === undefined ? request?.signal : signal),
  };
}

/** The headers of a request with some added, in a form that every fetch takes. */
export function addHeaders(
  { request, init }: FetchRequest,
  added: Readonly<Record<string, string>>,
): [string, string][] {
  const headers = new Headers((init.headers ?? request?.headers ?? {}) as Headers);
  for (const [name, value] of Object.entries(added)) headers.set(name, value);
  return [...headers];
}

/** By its shape, since npm's undici has a Request of its own. */
function isRequest(value: unknown): value is Request {
  return (
    ['url', 'method'].every(key => typeof read(value, key) === 'string') && typeof read(value, 'clone') === 'function'
  );
}

/**
 * A Request may stand in for init as well, and so may an object that inherits; a copy would lose their getters, which fetch
 * itself reads.
 */
function readInit(given: unknown): Record<string, unknown> {
  if (typeof given !== 'object' || given === null) return {};
  const init: Record<string, unknown> = isRequest(given) ? {} : { ...given };
  for (const key of REQUEST_KEYS) {
    if (key in init) continue;
    const value = read(given, key);
    // A Request without a body says null.
    if (value !== undefined && value !== null) init[key] = value;
  }
  return init;
}

const REQUEST_KEYS = [
  'method',
  'headers',
  'body',
  'mode',
  'credentials',
  'cache',
  'redirect',
  'referrer',
  'referrerPolicy',
  'integrity',
  'keepalive',
  'signal',
  'duplex',
  'dispatcher',
];

function headerOf(headers: unknown, name: string): string | undefined {
  if (headers === undefined || headers === null) return undefined;
  try {
    return new Headers(headers as Headers).get(name) ?? undefined;
  } catch {
    // fetch itself refuses them.
    return undefined;
  }
}

function toSignal(value: unknown): AbortSignal | undefined {
  return typeof read(value, 'aborted') === 'boolean' && typeof read(value, 'addEventListener') === 'function'
    ? (value as AbortSignal)
    : undefined;
}
