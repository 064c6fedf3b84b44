import type { ErrorDescription } from '../../engine/describe-error.ts';
import type { StopReason } from '../../engine/outcome.ts';

/** What became of a job. */
export type JobResult =
  | { readonly outcome: 'success'; readonly operation: string }
  /** Another long wait: another job goes on with the call. */
  | { readonly outcome: 'handed_over'; readonly operation: string; readonly jobId: string; readonly goesOnAt: number }
  | {
      readonly outcome: 'given_up';
      readonly operation: string;
      readonly reason: StopReason;
      readonly attempts: number;
      readonly error: ErrorDescription;
      /** True where the queue of dead letters of the operation has it. */
      readonly hasLetter: boolean;
    }
  /** It cannot be run here, or the worker stopped in the middle of it: it is taken again at `goesOnAt`. */
  | {
      readonly outcome: 'put_back';
      /** Undefined where a newer version of the library has written the job. */
      readonly operation: string | undefined;
      readonly why: string;
      /** Milliseconds since 1970. */
      readonly goesOnAt: number;
    }
  /** The same, but it could not be put back: the engine runs it again as after a crash. */
  | { readonly outcome: 'aborted'; readonly operation: string | undefined }
  /** It cannot be run at all, or no worker could for a day. */
  | {
      readonly outcome: 'refused';
      readonly why: string;
      /** True where a queue of dead letters has it. */
      readonly hasLetter: boolean;
    };

/** What a failed job says of its result; undefined where the job has not failed. */
export function failureOf(result: JobResult): string | undefined {
  switch (result.outcome) {
    case 'success':
    case 'handed_over':
    case 'put_back':
      return undefined;
    case 'refused':
      return result.hasLetter ? undefined : `The job is refused: ${result.why}`;
    case 'aborted':
      return `${result.operation ?? 'The job'} was stopped in the middle of its work`;
    case 'given_up': {
      const { operation, attempts, reason, error, hasLetter } = result;
      return hasLetter ? undefined : `${operation} gave up after attempt ${attempts}, ${reason}: ${error.message}`;
    }
  }
}
