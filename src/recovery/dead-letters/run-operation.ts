import type { AttemptContext } from '../../engine/attempt.ts';
import { execute } from '../../engine/execute.ts';
import { callHook } from '../../engine/hook.ts';
import type { StopHookEvent } from '../../engine/options.ts';
import type { PerCall } from '../../engine/per-call.ts';
import { CallHistory } from './call-history.ts';
import type { CallRecord } from './call-record.ts';
import { contextOf } from './operation-context.ts';
import type { RegisteredOperation } from './operation-registry.ts';
import { type Begun, runSteps } from './stepped-call.ts';
import type { StoredCall } from './stored-call.ts';
import type { WayOut } from './way-out.ts';

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
  /** Undefined where all waits are in memory. A call that leaves has ended for this process: given up as `aborted`. */
  readonly wayOut?: WayOut | undefined;
  /** Where the call comes from another process: what happened there. */
  readonly from?: (Begun & { readonly before: StoredCall }) | undefined;
}

/** The arguments of a call, or what makes them at each attempt: what it throws is a failure of the attempt. */
export type Arguments = readonly unknown[] | (() => Promise<readonly unknown[]>);

/**
 * Runs an operation under its policy, without its fallback: that comes after the letter, and its value is no success of
 * the operation.
 *
 * @throws TypeError for a deadline that is none; everything else is an ending
 */
export async function runOperation(
  { policy, handle }: RegisteredOperation,
  args: Arguments,
  { redrive, idempotencyKey, signal, deadline, wayOut, from }: RunTerms,
): Promise<Ending> {
  const history = new CallHistory(policy.clock, redrive, from?.before);
  let stop: StopHookEvent | undefined;
  const onStop = (event: StopHookEvent): void => {
    stop = event;
    if (policy.onStop !== undefined) callHook(policy.onStop, event);
  };
  const attempt = async (context: AttemptContext): Promise<unknown> => {
    const failed = history.begin(context);
    try {
      const given = typeof args === 'function' ? await args() : args;
      return await handle(contextOf(context, redrive, idempotencyKey), given);
    } catch (error) {
      failed(error);
      throw error;
    }
  };
  const own = { ...policy, onStop, fallback: undefined };
  const perCall = { signal: signal ?? policy.signal, deadline: deadline ?? policy.deadline };
  const run = (): Promise<unknown> =>
    wayOut === undefined
      ? execute(own, attempt, perCall)
      : runSteps(own, attempt, {
          ...perCall,
          from,
          leave: (point, cut) => wayOut.leave(point, history.end(point.error), cut),
        });
  let answer: () => unknown;
  try {
    const value = await run();
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
