import { type InterceptorOptions, Metadata, type NextCall, type StatusObject } from '@grpc/grpc-js';
import type { AttemptContext } from '../../engine/attempt.ts';
import type { RetryPolicy } from '../../forms/retry-policy.ts';
import { noteClientRetries, PREVIOUS_ATTEMPTS, statusOf } from './grpc-errors.ts';
import { type Answer, answers, attemptCall, type ChildCall, type Receiver, type Request } from './one-attempt.ts';
import { deadlineOf, onParentCancelled } from './parent-call.ts';

/**
 * One call of the caller, and a call of grpc-js for each attempt. It begins when the caller has sent everything; then the
 * policy has the loop. What the last attempt brings is handed on as it came.
 */
export class RetryingCall implements ChildCall {
  readonly #policy: RetryPolicy;
  readonly #options: InterceptorOptions;
  readonly #nextCall: NextCall;
  readonly #abort = new AbortController();
  readonly #stopListening: () => void;
  /** The call of the attempt that runs, or ran last. The first is made at once: a closed channel throws to the caller. */
  #child: ChildCall;
  #isFirstUsed = false;
  #wantsRead = false;
  /** From the first message of a stream on, the call is that of the attempt. */
  #isHandedOver = false;
  #isEnded = false;
  #cancelled: Pick<StatusObject, 'code' | 'details'> | undefined;
  #metadata: Metadata = new Metadata();
  #receiver: Partial<Receiver> = {};
  #message: Pick<Request, 'message' | 'context'> = { message: undefined, context: {} };

  constructor(policy: RetryPolicy, options: InterceptorOptions, nextCall: NextCall) {
    this.#policy = policy;
    this.#options = options;
    this.#nextCall = nextCall;
    this.#child = nextCall(options);
    this.#stopListening = onParentCancelled(options, () => this.cancelWithStatus(1, 'Cancelled by parent call'));
  }

  start(metadata: Metadata, receiver: Partial<Receiver> = {}): void {
    this.#metadata = metadata;
    this.#receiver = receiver;
  }

  sendMessageWithContext(context: Request['context'], message: unknown): void {
    this.#message = { context, message };
  }

  sendMessage(message: unknown): void {
    this.sendMessageWithContext({}, message);
  }

  startRead(): void {
    this.#wantsRead = true;
    if (this.#isFirstUsed) this.#child.startRead();
  }

  halfClose(): void {
    if (this.#isEnded) return;
    const deadline = deadlineOf(this.#options);
    const perCall = { signal: this.#abort.signal, ...(deadline === undefined ? undefined : { deadline }) };
    this.#policy
      .execute(attempt => this.#attempt(attempt), perCall)
      .then(
        // What a callback of the caller's throws is to be an uncaught exception, as without retries, and no rejection.
        answer => process.nextTick(() => this.#succeed(answer)),
        (error: unknown) => process.nextTick(() => this.#fail(error)),
      );
  }

  cancelWithStatus(code: number, details: string): void {
    if (this.#isEnded) return;
    if (this.#isHandedOver) {
      this.#child.cancelWithStatus(code, details);
      return;
    }
    this.#cancelled ??= { code, details };
    this.#abort.abort(new Error(details));
    if (!this.#isFirstUsed) process.nextTick(() => this.#fail(undefined));
  }

  getPeer(): string {
    return this.#child.getPeer();
  }

  getAuthContext(): ReturnType<ChildCall['getAuthContext']> {
    return this.#child.getAuthContext();
  }

  async #attempt({ number, signal }: AttemptContext): Promise<Answer | 'streaming'> {
    const child = number === 1 ? this.#child : this.#nextCall(this.#options);
    this.#child = child;
    this.#isFirstUsed = true;
    signal.addEventListener('abort', () => {
      const { code, details } = this.#cancelled ?? { code: 1, details: 'The attempt was cut off' };
      child.cancelWithStatus(code, details);
    });
    const told = number - 1;
    const metadata = this.#metadata.clone();
    if (told > 0) metadata.set(PREVIOUS_ATTEMPTS, `${told}`);
    const stream = this.#options.method_definition.responseStream ? () => this.#handOver(signal) : undefined;
    const answer = attemptCall(child, { ...this.#message, metadata }, stream);
    if (this.#wantsRead) child.startRead();
    try {
      return await answer;
    } catch (error) {
      const failed = answers.get(error as object);
      noteClientRetries(error as object, [failed?.metadata, failed?.status.metadata], told);
      throw error;
    }
  }

  /** Who takes the rest of a stream: the caller, unless the attempt has been left behind. */
  #handOver(signal: AbortSignal): Receiver {
    if (signal.aborted || this.#isEnded) return NOBODY;
    this.#isHandedOver = true;
    const receiver = this.#receiver;
    return {
      onReceiveMetadata: metadata => receiver.onReceiveMetadata?.(metadata),
      onReceiveMessage: message => receiver.onReceiveMessage?.(message),
      onReceiveStatus: status => this.#end(status),
    };
  }

  #succeed(answer: Answer | 'streaming'): void {
    if (answer !== 'streaming') this.#handOn(answer, answer.status);
  }

  #fail(error: unknown): void {
    if (this.#isHandedOver || this.#isEnded) return;
    // A call that was never started still has a timer for its deadline.
    if (!this.#isFirstUsed) this.#child.cancelWithStatus(1, 'No attempt was made');
    const answer = answers.get(error as object);
    if (this.#cancelled !== undefined) this.#end({ ...this.#cancelled, metadata: new Metadata() });
    else if (answer !== undefined) this.#handOn(answer, { ...answer.status, ...because(error) });
    else this.#end({ ...statusOf(error), metadata: new Metadata(), ...because(error) });
  }

  #handOn({ metadata, messages }: Answer, status: StatusObject): void {
    if (metadata !== undefined) this.#receiver.onReceiveMetadata?.(metadata);
    for (const message of messages) this.#receiver.onReceiveMessage?.(message);
    this.#end(status);
  }

  #end(status: StatusObject): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#stopListening();
    this.#receiver.onReceiveStatus?.(status);
  }
}

const NOBODY: Receiver = {
  onReceiveMetadata: () => undefined,
  onReceiveMessage: () => undefined,
  onReceiveStatus: () => undefined,
};

/** grpc-js makes the caller's error out of all that the status has, so that this becomes its cause. */
function because(error: unknown): { readonly cause: unknown } {
  return { cause: error };
}
