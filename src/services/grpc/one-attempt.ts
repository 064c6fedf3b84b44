import type { Metadata, NextCall, StatusObject } from '@grpc/grpc-js';
import { GrpcStatusError } from './grpc-errors.ts';

/** A call of grpc-js below the interceptor. */
export type ChildCall = ReturnType<NextCall>;

/** What the caller has sent: one message, since calls that send streams are not retried. */
export interface Request {
  readonly metadata: Metadata;
  readonly message: unknown;
  readonly context: Parameters<ChildCall['sendMessageWithContext']>[0];
}

/** All that an attempt has brought, kept until it is known whether the caller is to get it. */
export interface Answer {
  readonly metadata: Metadata | undefined;
  readonly messages: readonly unknown[];
  readonly status: StatusObject;
}

/** Whoever takes what arrives, once an attempt is the last one for certain. */
export interface Receiver {
  onReceiveMetadata(metadata: Metadata): void;
  onReceiveMessage(message: unknown): void;
  onReceiveStatus(status: StatusObject): void;
}

/** The failures of attempts, with all that they brought. */
export const answers: WeakMap<object, Answer> = new WeakMap<object, Answer>();

/**
 * Makes one attempt. Resolves with its answer, or rejects with a {@link GrpcStatusError}.
 *
 * @param stream takes the answer as it arrives, from its first message on; the attempt then resolves with `'streaming'`.
 * Undefined for a unary call
 */
export function attemptCall(
  child: ChildCall,
  request: Request,
  stream: (() => Receiver | undefined) | undefined,
): Promise<Answer | 'streaming'> {
  return new Promise((resolve, reject) => {
    let metadata: Metadata | undefined;
    const messages: unknown[] = [];
    let receiver: Receiver | undefined;
    child.start(request.metadata, {
      onReceiveMetadata: received => {
        metadata = received;
      },
      onReceiveMessage: message => {
        if (receiver === undefined && stream !== undefined) {
          receiver = stream();
          if (metadata !== undefined) receiver?.onReceiveMetadata(metadata);
          resolve('streaming');
        }
        if (receiver !== undefined) receiver.onReceiveMessage(message);
        else if (messages.push(message) > 1) child.cancelWithStatus(UNIMPLEMENTED, 'Too many responses received');
      },
      onReceiveStatus: status => {
        const answer = { metadata, messages, status };
        if (receiver !== undefined) receiver.onReceiveStatus(status);
        else if (status.code === OK) resolve(answer);
        else reject(failed(answer));
      },
    });
    child.sendMessageWithContext(request.context, request.message);
    child.halfClose();
  });
}

function failed(answer: Answer): GrpcStatusError {
  const error = new GrpcStatusError(answer.status);
  answers.set(error, answer);
  return error;
}

const OK = 0;
const UNIMPLEMENTED = 12;
