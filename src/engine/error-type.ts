import { causesOf } from './causes.ts';
import { read } from './read.ts';
import { redact } from './redact.ts';

/**
 * A name for a kind of error, fit for a metric label: the error's `code` (`ECONNRESET`, an SQLSTATE), else its HTTP
 * status, else the code of what caused it where its own name says little (`TypeError: fetch failed`), else its name,
 * else the type of what was thrown. Never taken from a message. At most 64 characters of letters, digits and
 * `_ . : -`.
 */
export function errorType(error: unknown): string {
  const type = typeof error;
  if (error === null) return 'null';
  if (type !== 'object') return type;
  return errorCode(error) ?? statusOf(error) ?? namedType(error) ?? numericCode(error) ?? nameOf(error) ?? type;
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

function statusOf(error: unknown): string | undefined {
  const status = read(error, 'status') ?? read(error, 'statusCode') ?? read(read(error, 'response'), 'status');
  const isStatus = typeof status === 'number' && Number.isInteger(status) && status >= 100 && status < 600;
  return isStatus ? String(status) : undefined;
}

/** The name where it says something, else the code of the first cause that has one. */
function namedType(error: unknown): string | undefined {
  const name = nameOf(error);
  if (!VAGUE.has(name)) return name;
  for (const cause of causesOf(error)) {
    const code = errorCode(cause);
    if (code !== undefined) return code;
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
