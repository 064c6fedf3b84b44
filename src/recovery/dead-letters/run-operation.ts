import type { AttemptContext } from '../../engine/attempt.ts';
import { execute } from '../../engine/execute.ts';
import { callHook } from '../../engine/hook.ts';
import type { StopHookEvent } from '../../engine/options.ts';
import type { PerCall } from '../../engine/per-call.ts';
import { CallHistory, type CallRecord } from './call-history.ts';
import { contextOf } from './operation-context.ts';
import type { RegisteredOperation } from './operation-registry.ts';

/** How a run of an operation ended. */
export type Ending =
  | { readonly is: 'success'; readonly value: unknown }
  | {
      readonly is: 'given_up';
      readonly stop: StopHookEvent;
      readonly record: CallRecord;
      /** What the caller gets where there is no fallback: throws the error, or gives the result that was refused. */
      readonly answer: () => unknown;
    };

/** What one run has of its own. */
export interface RunTerms extends PerCall {
  /** 0 for the call itself, n for the n-th redrive. */
  readonly redrive: number;
  readonly idempotencyKey: () => string;
}

/**
 * Runs an operation under its policy, without its fallback: that comes after the letter, and its value is no success of
 * the operation.
 *
 * @throws TypeError for a deadline that is none; everything else is an ending
 */
export async function runOperation(
  { policy, handle }: RegisteredOperation,
  args: readonly unknown[],
  { redrive, idempotencyKey, signal, deadline }: RunTerms,
): Promise<Ending> {
  const history = new CallHistory(policy.clock, redrive);
  let stop: StopHookEvent | undefined;
  const onStop = (event: StopHookEvent): void => {
    stop = event;
    if (policy.onStop !== undefined) callHook(policy.onStop, event);
  };
  const attempt = async (context: AttemptContext): Promise<unknown> => {
    const failed = history.begin(context);
    try {
      return await handle(contextOf(context, redrive, idempotencyKey), args);
    } catch (error) {
      failed(error);
      throw error;
    }
  };
  const perCall = { signal: signal ?? policy.signal, deadline: deadline ?? policy.deadline };
  let answer: () => unknown;
  try {
    const value = await execute({ ...policy, onStop, fallback: undefined }, attempt, perCall);
    if (stop === undefined) return { is: 'success', value };
    answer = () => value;
  } catch (error) {
    if (stop === undefined) throw error;
    answer = () => {
      throw error;
    };
  }
  return { is: 'given_up', stop, record: history.end(stop.error), answer };
}
