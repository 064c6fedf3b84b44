const BRAND = Symbol.for('retryscope.error');

/**
 * The server answered with a status that means failure. `response` is the answer, its body unread where it was the
 * last one; read the body or cancel it. Neither message nor properties that a log would show hold anything of URL,
 * headers or body.
 */
export class HttpStatusError<R = Response> extends Error {
  override readonly name: string = 'HttpStatusError';
  readonly code = 'ERR_RETRY_HTTP_STATUS' as const;
  readonly status: number;
  /** Out of the sight of JSON and inspect, which would write out headers and URL. */
  readonly #answer: Answer<R>;

  constructor(status: number, request: string, answer: Answer<R>) {
    super(`${request} was answered with status ${status}`);
    this.status = status;
    this.#answer = answer;
  }

  get response(): R {
    return this.#answer.response;
  }
}
Object.defineProperty(HttpStatusError.prototype, BRAND, { value: true });

/** Where an answer is found: another object takes its place when the first has been read. */
export interface Answer<R> {
  readonly response: R;
}

/** True for an {@link HttpStatusError}, also one of another copy of the package in the process. */
export function isHttpStatusError(error: unknown): error is HttpStatusError {
  return hasCode(error, 'ERR_RETRY_HTTP_STATUS');
}

/**
 * The request could be sent again, but its body was a stream, and has been read. Pass a function that makes the body
 * anew, or a body that can be read again. `cause` is what the attempt before brought.
 */
export class BodyUsedError extends Error {
  override readonly name: string = 'BodyUsedError';
  readonly code = 'ERR_RETRY_BODY_USED' as const;
  readonly retryable = false as const;

  constructor(request: string, cause: unknown) {
    super(`${request} cannot be sent again: its body was a stream that has been read; pass a function that makes it`, {
      cause,
    });
  }
}
Object.defineProperty(BodyUsedError.prototype, BRAND, { value: true });

function hasCode(error: unknown, code: string): boolean {
  try {
    return typeof error === 'object' && error !== null && BRAND in error && (error as { code?: unknown }).code === code;
  } catch {
    return false;
  }
}
