import { reportFault } from './faults.ts';
import { httpStatus, type MayHaveStatus } from './http-status.ts';
import type { ErrorClass } from './outcome.ts';
import { read } from './read.ts';
import { saysRetry } from './server-hints.ts';

/** What a classifier is told beside the error. */
export interface ClassifyContext {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
}

/** Says of an error whether it is worth another attempt: a class, or `true` for transient and `false` for permanent. */
export type Classifier = (error: unknown, context: ClassifyContext) => ErrorVerdict | PromiseLike<ErrorVerdict>;

/** The answer of a {@link Classifier}. */
export type ErrorVerdict = ErrorClass | boolean;

/** A constructor of errors; the names of its parameters do not matter. */
export type ErrorConstructorLike = abstract new (...args: never[]) => unknown;

/**
 * Which errors are retried:
 *
 * - an error class: its instances
 * - a string: errors whose `code` or `name` it is
 * - a list of those: any of them
 * - a function: your own {@link Classifier}; one that throws says "no"
 *
 * Whatever it says, an error with `retryable: false` is not retried, and neither is the caller's own abort.
 */
export type RetryOn = ErrorConstructorLike | string | readonly (ErrorConstructorLike | string)[] | Classifier;

/** Classifies by the policy's `retryOn`, or by {@link classifyError} when there is none. Never throws or rejects. */
export function classify(
  retryOn: RetryOn | undefined,
  error: unknown,
  attempt: number,
): ErrorClass | Promise<ErrorClass> {
  if (retryOn === undefined) return classifyError(error);
  if (read(error, 'retryable') === false) return 'permanent';
  if (isClassifier(retryOn)) return askClassifier(retryOn, error, { attempt });
  const wanted = Array.isArray(retryOn) ? retryOn : [retryOn];
  return toClass(
    wanted.some(kind => isKind(error, kind)),
    error,
  );
}

/**
 * The classification that holds without `retryOn`: every error is transient, but for cancellations, mistakes in the
 * program, HTTP statuses that will not change (4xx other than 408, 425 and 429, without `x-should-retry: true`), known
 * authentication, permission and validation codes, and whatever carries `retryable: false`.
 */
export function classifyError(error: unknown): ErrorClass {
  try {
    return classifyReadable(error as Readable);
  } catch {
    // Nothing was thrown, or something that cannot even be read: no reason to give up.
    return 'transient';
  }
}

/** The properties that tell errors apart. Anything at all may be thrown, so any of them may be anything. */
interface Readable extends MayHaveStatus {
  readonly retryable?: unknown;
  readonly name?: unknown;
  readonly code?: unknown;
  readonly cause?: { readonly code?: unknown };
}

const RETRYABLE_4XX = new Set([408, 425, 429]);
const PROGRAM_ERRORS = new Set<unknown>(['TypeError', 'ReferenceError', 'SyntaxError', 'RangeError']);
/** Invalid arguments (Node), permissions (POSIX), certificates (TLS), credentials (SQLSTATE class 28, Redis). */
const PERMANENT_CODE =
  /^(ERR_INVALID_|ERR_TLS_CERT_|ERR_UNESCAPED_|EACCES$|EPERM$|EAUTH$|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|28[\dA-Z]{3}$|NOAUTH$|WRONGPASS$|NOPERM$)/;

/** Reads each property directly: this is the path of every failure, and a generic reader costs several times as much. */
function classifyReadable(error: Readable): ErrorClass {
  const status = httpStatus(error);
  const worthIt = status === 429 ? 'throttled' : 'transient';
  const { retryable, name, code } = error;
  if (typeof retryable === 'boolean') return retryable ? worthIt : 'permanent';
  if (name === 'AbortError') return 'cancelled';
  if (typeof code === 'string' && PERMANENT_CODE.test(code)) return 'permanent';
  if (status !== undefined && status >= 400 && status < 500 && !RETRYABLE_4XX.has(status)) {
    return saysRetry(error) === true ? 'transient' : 'permanent';
  }
  // fetch reports every network failure as a TypeError; the cause tells it from a mistake.
  if (PROGRAM_ERRORS.has(name) && !(name === 'TypeError' && typeof error.cause?.code === 'string')) return 'permanent';
  return worthIt;
}

/** The class of a failure that somebody has called worth another attempt. */
function worthRetrying(error: unknown): ErrorClass {
  try {
    return httpStatus(Object(error)) === 429 ? 'throttled' : 'transient';
  } catch {
    return 'transient';
  }
}

function toClass(verdict: unknown, error: unknown): ErrorClass {
  if (verdict === true) return worthRetrying(error);
  return ERROR_CLASSES.has(verdict as ErrorClass) ? (verdict as ErrorClass) : 'permanent';
}

const ERROR_CLASSES = new Set<ErrorClass>(['transient', 'throttled', 'permanent', 'cancelled']);

function askClassifier(
  classifier: Classifier,
  error: unknown,
  context: ClassifyContext,
): ErrorClass | Promise<ErrorClass> {
  try {
    const verdict = classifier(error, context);
    if (typeof verdict !== 'object') return toClass(verdict, error);
    return Promise.resolve(verdict).then(late => toClass(late, error), refuse);
  } catch (fault) {
    return refuse(fault);
  }
}

function refuse(fault: unknown): ErrorClass {
  reportFault('predicate', fault);
  return 'permanent';
}

/** A function that is no class of errors. */
function isClassifier(retryOn: RetryOn): retryOn is Classifier {
  return typeof retryOn === 'function' && !isErrorClass(retryOn);
}

/** Whether it is written as a class, or has a prototype like that of Error. */
export function isErrorClass(value: unknown): boolean {
  if (typeof value !== 'function') return false;
  const prototype = read(value, 'prototype');
  if (typeof read(prototype, 'name') === 'string' && typeof read(prototype, 'message') === 'string') return true;
  return isClass(value);
}

/** Whether a function is written as a class. */
export function isClass(value: object): boolean {
  return Function.prototype.toString.call(value).startsWith('class');
}

function isKind(error: unknown, kind: ErrorConstructorLike | string): boolean {
  if (typeof kind === 'string') return read(error, 'code') === kind || read(error, 'name') === kind;
  try {
    // The name serves errors of another realm or of another copy of the class.
    return error instanceof kind || read(error, 'name') === kind.name;
  } catch {
    return false;
  }
}
