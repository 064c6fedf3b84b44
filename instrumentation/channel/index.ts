import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import type {
  AttemptEnd,
  AttemptInfo,
  CallEnd,
  CallInfo,
  CallScope,
  RetryObserver,
  Scope,
} from '../../src/engine/observer.ts';

/**
 * Publishes calls and attempts on the tracing channels `retryscope:call` and `retryscope:attempt`
 * (`node:diagnostics_channel`), for tools that follow a library without being imported by it. Nothing is built as long
 * as nobody has subscribed.
 *
 * Each piece of work publishes `start` and `end` around its synchronous part, and after it has settled `error` (if it
 * failed), `asyncStart` and `asyncEnd`, all with one message object. A store bound to the `start` of an attempt is in
 * place inside the attempt; one bound to the `start` of a call encloses nothing, since the loop has no synchronous part.
 * The message of an attempt holds that of its call, so that a subscriber can tell which attempts belong together.
 *
 * A subscriber that throws never reaches the call: Node keeps the other subscribers going and throws what it caught as
 * an uncaught exception on the next tick, as on any channel of its own. That ends the process unless it is handled.
 */
export function channelObserver(): RetryObserver {
  return {
    call: info => (CALL.hasSubscribers || ATTEMPT.hasSubscribers ? new PublishedCall(info) : undefined),
  };
}

/** The message about a call: what is known at its start, and at the end `result`. */
export interface CallMessage extends CallInfo {
  /** What the caller gets instead of a value: any value at all, never to be trusted, and never redacted. */
  error?: unknown;
  result?: CallEnd;
}

/** The message about an attempt. */
export interface AttemptMessage extends AttemptInfo {
  readonly operation: string;
  /** The message about the call that makes the attempt. */
  readonly call: CallMessage;
  /** What was thrown: any value at all, never to be trusted, and never redacted. */
  error?: unknown;
  result?: AttemptEnd;
}

const CALL: TracingChannel<unknown, object> = tracingChannel('retryscope:call');
const ATTEMPT: TracingChannel<unknown, object> = tracingChannel('retryscope:attempt');

class Published<End extends { readonly outcome: string; readonly error?: unknown }> implements Scope<End> {
  readonly #events: TracingChannel<unknown, object>;
  readonly #message: { error?: unknown; result?: End };

  constructor(events: TracingChannel<unknown, object>, message: object) {
    this.#events = events;
    this.#message = message;
  }

  run<R>(fn: () => R): R {
    return this.#events.start.runStores(this.#message, () => {
      try {
        return fn();
      } finally {
        this.#events.end.publish(this.#message);
      }
    }) as R;
  }

  end(end: End): void {
    const message = this.#message;
    message.result = end;
    if (end.outcome === 'failure') {
      message.error = end.error;
      this.#events.error.publish(message);
    }
    this.#events.asyncStart.publish(message);
    this.#events.asyncEnd.publish(message);
  }
}

class PublishedCall implements CallScope {
  readonly #message: CallMessage;
  readonly #call: Published<CallEnd>;

  constructor(info: CallInfo) {
    this.#message = { ...info };
    this.#call = new Published<CallEnd>(CALL, this.#message);
    this.#call.run(() => undefined);
  }

  attempt(info: AttemptInfo): Scope<AttemptEnd> | undefined {
    if (!ATTEMPT.hasSubscribers) return undefined;
    const { operation } = this.#message;
    return new Published<AttemptEnd>(ATTEMPT, { ...info, operation, call: this.#message });
  }

  end(end: CallEnd): void {
    this.#call.end(end);
  }
}
