import { redact } from './redact.ts';

/** What may be told of an error: plain strings, bounded and redacted. */
export interface ErrorDescription {
  /** The low-cardinality name for labels and `error.type`; see {@link errorType}. */
  readonly type: string;
  /** The message, at most {@link MAX_MESSAGE} characters. */
  readonly message: string;
  /** The error's `code`, where it has a short one. */
  readonly code?: string;
  /** The stack, at most {@link MAX_STACK} characters. */
  readonly stack?: string;
}

/** The longest message that a description holds, in characters. */
export const MAX_MESSAGE = 1024;
/** The longest stack that a description holds, in characters. */
export const MAX_STACK = 4096;

/**
 * Describes anything that was thrown, for a span, a log line or a store. Never throws, whatever it is given: a frozen
 * error, a string, a revoked Proxy, getters that throw, a message of five megabytes. Runs no code of the value but its
 * getters, and takes secrets out of every text.
 */
export function describeError(error: unknown): ErrorDescription {
  const code = codeOf(error);
  const stack = text(() => (error as { stack?: unknown }).stack);
  return {
    type: errorType(error),
    message: bounded(messageOf(error), MAX_MESSAGE),
    ...(code === undefined ? undefined : { code }),
    ...(stack === undefined ? undefined : { stack: bounded(stack, MAX_STACK) }),
  };
}

/**
 * A name for a kind of error, fit for a metric label: the error's `code` (`ECONNRESET`, an SQLSTATE), else its HTTP
 * status, else its name, else the type of what was thrown. Never taken from a message. At most 64 characters of
 * letters, digits and `_ . : -`.
 */
export function errorType(error: unknown): string {
  return codeOf(error) ?? statusOf(error) ?? nameOf(error) ?? (error === null ? 'null' : typeof error);
}

const LABEL = /^[\w.:-]{1,64}$/;

function codeOf(error: unknown): string | undefined {
  const code = attempt(() => (error as { code?: unknown }).code);
  if (typeof code === 'number' && Number.isInteger(code)) return String(code);
  return typeof code === 'string' && LABEL.test(code) ? code : undefined;
}

function statusOf(error: unknown): string | undefined {
  const status = attempt(() => {
    const { status, statusCode, response } = error as {
      status?: unknown;
      statusCode?: unknown;
      response?: { status?: unknown };
    };
    return status ?? statusCode ?? response?.status;
  });
  return typeof status === 'number' && Number.isInteger(status) && status >= 100 && status < 600
    ? String(status)
    : undefined;
}

function nameOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const name = text(() => (error as { name?: unknown }).name);
  if (name !== undefined && LABEL.test(name)) return name;
  const constructorName = text(() => (error as { constructor?: { name?: unknown } }).constructor?.name);
  return constructorName !== undefined && LABEL.test(constructorName) ? constructorName : undefined;
}

function messageOf(error: unknown): string {
  switch (typeof error) {
    case 'string':
      return error;
    case 'object':
      return error === null ? 'null' : (text(() => (error as { message?: unknown }).message) ?? UNREADABLE);
    case 'function':
      return '[function]';
    case 'symbol':
      return error.toString();
    default:
      return String(error);
  }
}

const UNREADABLE = '[no readable message]';

/**
 * Cuts before redacting, so that a huge text costs no more than a long one; and cuts a margin behind the limit, so
 * that a secret that straddles it is still seen whole enough to be recognised.
 */
function bounded(value: string, limit: number): string {
  const clean = redact(value.slice(0, limit * 2));
  return clean.length > limit ? `${clean.slice(0, limit - 1)}…` : clean;
}

function text(read: () => unknown): string | undefined {
  const value = attempt(read);
  return typeof value === 'string' ? value : undefined;
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}
