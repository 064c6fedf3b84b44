import { causesOf } from './causes.ts';
import { isObject, read } from './read.ts';
import { redact } from './redact.ts';

/**
 * A name for a kind of error, fit for a metric label: the error's `code` (`ECONNRESET`, an SQLSTATE), else its HTTP
 * status, else code or status of what caused it where its own name says little (`TypeError: fetch failed`), else its
 * name, else the type of what was thrown. The status goes before a code that only says that there was a bad one
 * (`ERR_BAD_RESPONSE` of axios). Of what kafkajs wraps it is that of the error inside. Never taken from a message. At most
 * 64 characters of letters, digits and `_ . : -`.
 */
export function errorType(error: unknown): string {
  const type = typeof error;
  if (error === null) return 'null';
  if (type !== 'object') return type;
  const inner = unwrapped(error);
  return codeOrStatus(inner) ?? protocolType(inner) ?? namedType(inner) ?? numericCode(inner) ?? nameOf(inner) ?? type;
}

/** The error's `code`, if it is one that names a kind of error: no identifier, no sentence, no secret. */
export function errorCode(error: unknown): string | undefined {
  const code = read(error, 'code');
  return typeof code === 'string' && CODE.test(code) && isHarmless(code) ? code : undefined;
}

/** `ECONNRESET`, `UND_ERR_SOCKET`, `ThrottlingException`, `rate_limit`, `too-many-requests`, `40P01`, `1213`. */
const CODE = /^(?=.{1,64}$)(?:[A-Z][A-Za-z\d]*(?:[_.-][A-Za-z\d]+)*|[a-z]+(?:[_.:-][a-z]+)*|[A-Z\d]{1,5})$/;
const NAME = /^[\w.:-]{1,64}$/;
/** Names that so many errors share that they say nothing. */
const VAGUE = new Set<string | undefined>(['Error', 'TypeError', 'AggregateError', 'Object', undefined]);

/** A secret of a well-known shape has a digit; most names have none, and need no closer look. */
function isHarmless(name: string): boolean {
  return !/\d/.test(name) || redact(name) === name;
}

function codeOrStatus(error: unknown): string | undefined {
  const code = errorCode(error);
  if (code !== undefined && !BAD_STATUS.has(code)) return code;
  return ownStatus(error) ?? ownStatus(read(error, 'response')) ?? code;
}

/** Codes that say less than the status beside them: those of `retryFetch`, of axios for 5xx and 4xx, and of got. */
const BAD_STATUS = new Set([
  'ERR_RETRY_HTTP_STATUS',
  'ERR_BAD_RESPONSE',
  'ERR_BAD_REQUEST',
  'ERR_NON_2XX_3XX_RESPONSE',
]);

function ownStatus(carrier: unknown): string | undefined {
  // To find that out by a throw takes microseconds, and most errors have no response.
  if (carrier === undefined) return undefined;
  const status = read(carrier, 'status') ?? read(carrier, 'statusCode');
  const isStatus = typeof status === 'number' && Number.isInteger(status) && status >= 100 && status < 600;
  return isStatus ? String(status) : undefined;
}

/** kafkajs wraps what went wrong when its own retries have ended, also where it was told to make none. */
function unwrapped(error: unknown): unknown {
  if (!WRAPPERS.has(read(error, 'name'))) return error;
  const cause = read(error, 'cause');
  return [cause, ...causesOf(cause)].find(each => isObject(each) && !WRAPPERS.has(read(each, 'name'))) ?? error;
}

const WRAPPERS = new Set<unknown>(['KafkaJSNumberOfRetriesExceeded', 'KafkaJSNonRetriableError']);

/** The name that the Kafka protocol has for an error, beside its number. */
function protocolType(error: unknown): string | undefined {
  return read(error, 'name') === 'KafkaJSProtocolError' ? label(read(error, 'type')) : undefined;
}

/** The name where it says something, else code or status of the first cause that has one. */
function namedType(error: unknown): string | undefined {
  const name = nameOf(error);
  if (!VAGUE.has(name)) return name;
  for (const cause of causesOf(error)) {
    const kind = codeOrStatus(cause);
    if (kind !== undefined) return kind;
  }
  return name === 'Error' || name === 'Object' ? undefined : name;
}

/** gRPC statuses and errors of databases have numbers; those of a DOMException are history. */
function numericCode(error: unknown): string | undefined {
  const code = read(error, 'code');
  return typeof code === 'number' && Number.isInteger(code) && code >= 0 && code < 100_000 ? String(code) : undefined;
}

function nameOf(error: unknown): string | undefined {
  return label(read(error, 'name')) ?? label(read(read(error, 'constructor'), 'name'));
}

function label(value: unknown): string | undefined {
  return typeof value === 'string' && NAME.test(value) && isHarmless(value) ? value : undefined;
}
