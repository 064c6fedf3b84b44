import { causesOf } from './causes.ts';
import { errorCode, errorType } from './error-type.ts';
import { hiderFor } from './quoted-values.ts';
import { read } from './read.ts';
import { redactWithin } from './redact.ts';

export { errorType } from './error-type.ts';

/** What may be told of an error: plain strings, bounded and redacted. */
export interface ErrorDescription {
  /** The low-cardinality name for labels and `error.type`; see {@link errorType}. */
  readonly type: string;
  /** The message and those of its causes, at most {@link MAX_MESSAGE} characters. */
  readonly message: string;
  /** The error's `code`, where it has a short one that names a kind. */
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
  try {
    const code = errorCode(error);
    const stack = stackOf(error);
    return {
      type: errorType(error),
      message: errorMessage(error),
      ...(code === undefined ? undefined : { code }),
      ...(stack === undefined ? undefined : { stack: redactWithin(stack, MAX_STACK) }),
    };
  } catch {
    // Nothing above throws, but the call stack may be full already when an error is described.
    return { type: 'unknown', message: UNREADABLE };
  }
}

/**
 * The message of anything that was thrown and those of its causes, redacted, in at most {@link MAX_MESSAGE}
 * characters. Costs a tenth of {@link describeError}, which makes the engine write out the stack. Never throws.
 */
export function errorMessage(error: unknown): string {
  try {
    return redactWithin(fullMessage(error), MAX_MESSAGE);
  } catch {
    return UNREADABLE;
  }
}

const UNREADABLE = '[no readable message]';
/** How much of each message is looked at, in characters: enough for the cut to fall where redaction wants it. */
const LOOKED_AT = 4 * MAX_MESSAGE;

/** What went wrong, and beneath it: `fetch failed` alone tells nobody that a connection was refused. */
function fullMessage(error: unknown): string {
  const causes = causesOf(error);
  const hide = hiderFor([error, ...causes]);
  const parts = [hide(messageOf(error)).slice(0, LOOKED_AT)];
  for (const cause of causes) {
    const text = hide(messageOf(cause)).slice(0, LOOKED_AT);
    if (text !== UNREADABLE && !parts.some(part => part.includes(text))) parts.push(text);
  }
  return parts.filter(part => part !== '').join('; caused by: ');
}

function messageOf(value: unknown): string {
  switch (typeof value) {
    case 'object':
      return value === null ? 'null' : textOf(value);
    case 'function':
      return '[function]';
    case 'symbol':
      return `Symbol(${value.description ?? ''})`;
    case 'bigint':
      // Writing out a number takes time quadratic in its digits.
      return value > -LARGE && value < LARGE ? `${value}` : '[bigint]';
    default:
      return `${value}`;
  }
}

const LARGE = 10n ** 40n;

function textOf(error: object): string {
  const message = read(error, 'message');
  return typeof message === 'string' ? message : UNREADABLE;
}

/** The stack, with a huge message in its head shortened so that the frames can be seen. */
function stackOf(error: unknown): string | undefined {
  const written = read(error, 'stack');
  if (typeof written !== 'string') return undefined;
  const stack = hiderFor([error, ...causesOf(error)])(written);
  const frames = stack.indexOf('\n    at ');
  if (frames <= MAX_MESSAGE) return stack;
  return `${redactWithin(stack.slice(0, frames), MAX_MESSAGE)}${stack.slice(frames)}`;
}
