import { classify, classifyError, type RetryOn } from '../../engine/classify.ts';
import { httpStatus } from '../../engine/http-status.ts';
import type { ErrorClass } from '../../engine/outcome.ts';
import { read } from '../../engine/read.ts';
import { saysRetry } from '../../engine/server-hints.ts';

/** Classifies what a request brought: by `retryOn` where there is one, else by the status, else by the kind of failure. */
export function classifyHttp(
  error: unknown,
  attempt: number,
  rules: { readonly statuses: ReadonlySet<number>; readonly retryOn: RetryOn | undefined },
): ErrorClass | Promise<ErrorClass> {
  const { statuses, retryOn } = rules;
  if (typeof retryOn === 'function') return classify(retryOn, error, attempt);
  if (retryOn !== undefined) {
    const known = classify(retryOn, error, attempt);
    const beneath = read(error, 'cause');
    return known === 'permanent' && beneath !== undefined ? classify(retryOn, beneath, attempt) : known;
  }
  return classifyAnswer(error, statuses) ?? classifyNetworkError(error);
}

/** True for an answer that is worth another attempt; the server's own word counts for more than its status. */
export function isFailure(response: { readonly status: number }, statuses: ReadonlySet<number>): boolean {
  return statuses.has(response.status) || (response.status >= 400 && saysRetry(response) === true);
}

/** Undefined where the failure is none of the status: a body that broke off has one too. */
function classifyAnswer(error: unknown, statuses: ReadonlySet<number>): ErrorClass | undefined {
  const status = statusOf(error);
  if (status === undefined || (status < 400 && !statuses.has(status))) return undefined;
  if (!isFailure({ status, ...headersOf(error) }, statuses)) return 'permanent';
  return status === 429 ? 'throttled' : 'transient';
}

function statusOf(error: unknown): number | undefined {
  try {
    return httpStatus(Object(error));
  } catch {
    return undefined;
  }
}

function headersOf(error: unknown): { readonly headers?: unknown } {
  const headers = read(read(error, 'response'), 'headers');
  return headers === undefined ? {} : { headers };
}

/** `fetch failed` and its kin say nothing; what lies beneath them does. */
function classifyNetworkError(error: unknown): ErrorClass {
  const cause = read(error, 'cause');
  const known = classifyError(error);
  if (known !== 'transient') return known;
  const code = codeOf(error) ?? codeOf(cause);
  if (code === undefined) return known;
  if (CANCELLED.has(code)) return 'cancelled';
  if (PERMANENT.has(code) || (code === 'ERR_BAD_RESPONSE' && read(error, 'response') === undefined)) return 'permanent';
  return codeOf(error) === undefined ? classifyError({ code }) : known;
}

function codeOf(error: unknown): string | undefined {
  const code = read(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

/** Somebody no longer wants the answer; in the words of axios, got and undici. */
const CANCELLED = new Set(['ERR_CANCELED', 'ERR_ABORTED', 'UND_ERR_ABORTED']);

/** What the same request will meet again: mistakes in it, and limits that the client set. */
const PERMANENT = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_INVALID_RETURN_VALUE',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'ERR_BAD_OPTION',
  'ERR_BAD_OPTION_VALUE',
  'ERR_NOT_SUPPORT',
  'ERR_DEPRECATED',
  'ERR_FORM_DATA_DEPTH_EXCEEDED',
  'ERR_FR_TOO_MANY_REDIRECTS',
  'ERR_FR_MAX_BODY_LENGTH_EXCEEDED',
  'ERR_BODY_PARSE_FAILURE',
  'ERR_TOO_MANY_REDIRECTS',
  'ERR_UNSUPPORTED_PROTOCOL',
]);
