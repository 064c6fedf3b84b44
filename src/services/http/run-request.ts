import type { AttemptContext } from '../../engine/attempt.ts';
import { execute } from '../../engine/execute.ts';
import { guarded } from '../../engine/guarded.ts';
import { retryHeaders } from '../../limits/propagation/outgoing-headers.ts';
import { classifyHttp } from './classify-http.ts';
import { type FailedAnswer, FailedAnswers, handOver } from './failed-answer.ts';
import { BodyUsedError } from './http-errors.ts';
import type { HttpPolicy } from './http-policy.ts';
import { IDEMPOTENCY_KEY, operationOf, planRequest, type RequestFacts } from './request-facts.ts';

/** What a client is told of the attempt that it makes. */
export interface HttpAttempt {
  readonly context: AttemptContext;
  /** Method and host, for texts. */
  readonly name: string;
  /** Headers to add to those of the request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether another attempt may follow this one. */
  readonly mayFollow: boolean;
  /** Keeps track of an answer that the attempt is about to throw `error` for. */
  failed(error: object, answer: FailedAnswer): void;
}

/** Runs one request under a policy, whichever client sends it. */
export async function runRequest<T>(
  policy: HttpPolicy,
  request: RequestFacts,
  send: (attempt: HttpAttempt) => Promise<T>,
): Promise<T> {
  const plan = planRequest(request, policy);
  const isRepeated = plan.mayRepeat && request.body === 'repeatable';
  const name = operationOf(request);
  const answers = new FailedAnswers();
  let refusal: { readonly error: BodyUsedError; readonly of: unknown } | undefined;
  const make = async (context: AttemptContext): Promise<T> => {
    answers.dropAll();
    const mayFollow = isRepeated && context.number < context.maxAttempts;
    const headers = headersOf(policy, request, plan.addedKey, context);
    try {
      return await send({
        context,
        name,
        headers,
        mayFollow,
        failed: (error, answer) => {
          // The engine may have stopped waiting for this attempt.
          if (context.signal.aborted) answer.drop();
          else answers.add(error, answer);
        },
      });
    } catch (error) {
      if (!plan.mayRepeat || isRepeated || policy.onUsedBody === 'stop') throw error;
      if (context.maxAttempts === 1 || context.signal.aborted || !(await isWorthRetrying(policy, error))) throw error;
      handOver(error);
      refusal = { error: new BodyUsedError(name, error), of: error };
      throw refusal.error;
    }
  };
  // Where the policy has no name of its own, the engine takes the function's.
  Object.defineProperty(make, 'name', { value: name });
  const signal = bothSignals(request.signal, policy.signal);
  const { repeatable, once } = policy.of(request.url?.host);
  try {
    const result = await execute(isRepeated ? repeatable : once, make, { signal, deadline: policy.deadline });
    // A fallback may give the answer that failed.
    answers.dropAll(result);
    return result;
  } catch (error) {
    answers.dropAll(error === refusal?.error ? refusal?.of : error);
    throw error;
  }
}

function headersOf(
  policy: HttpPolicy,
  { url }: RequestFacts,
  addedKey: string | undefined,
  context: AttemptContext,
): Record<string, string> {
  return {
    ...(isTold(policy, url) ? retryHeaders(context) : undefined),
    ...(addedKey === undefined ? undefined : { [IDEMPOTENCY_KEY]: addedKey }),
  };
}

function isTold({ propagate }: HttpPolicy, url: URL | undefined): boolean {
  if (typeof propagate === 'boolean' || url === undefined) return propagate === true;
  return guarded('hook', () => propagate(url)) === true;
}

async function isWorthRetrying(policy: HttpPolicy, error: unknown): Promise<boolean> {
  const known = await classifyHttp(error, 1, policy);
  return known === 'transient' || known === 'throttled';
}

function bothSignals(own: AbortSignal | undefined, shared: AbortSignal | undefined): AbortSignal | undefined {
  return own === undefined || shared === undefined ? (own ?? shared) : AbortSignal.any([own, shared]);
}
