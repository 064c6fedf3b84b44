import { nestingFrame, rememberGivenUp } from '../../../src/engine/nesting.ts';
import { runtime } from '../../../src/engine/runtime.ts';
import { type OwnRetries, withOwnRetries } from '../../libraries/own-retries.ts';

/**
 * Sends a request once, by the app's own client, which may retry by itself, as undici's `RetryAgent` does: the attempts of
 * the two would multiply. To the engine that is a layer nearer to the failure, and what it gave up is not retried again.
 */
export async function sentOnce<R>(send: () => R | PromiseLike<R>): Promise<R> {
  const retries: OwnRetries = { areMade: false };
  try {
    const answer = await withOwnRetries(retries, send);
    if (retries.areMade) rememberAnswer(answer);
    return answer;
  } catch (error) {
    if (retries.areMade) giveUpOn(error);
    throw error;
  }
}

/** Tells that an error is made of an answer: of one that came after retries, no more are wanted. */
export function notedAnswer(error: unknown, answer: unknown): void {
  if (isObject(answer) && answers.has(answer)) giveUpOn(error);
}

const answers = new WeakSet<object>();

/** Whether it means failure is not known here. */
function rememberAnswer(answer: unknown): void {
  if (isObject(answer)) answers.add(answer);
  const frame = nestingFrame();
  if (frame !== undefined) frame.gaveUp = true;
}

function giveUpOn(error: unknown): void {
  // Later than the start of the attempt, as a call inside it would be.
  const startedAs = ++runtime.sequence;
  rememberGivenUp({ startedAs, attemptStartedAs: startedAs }, error, undefined);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
