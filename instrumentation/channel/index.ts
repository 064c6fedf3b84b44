import { type Channel, channel } from 'node:diagnostics_channel';
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
 * failed) and `asyncEnd`, all with one message object. A store bound to `start` is in place inside the attempt.
 * A subscriber that throws is reported by Node as an uncaught exception, as on any channel of Node's own.
 */
export function channelObserver(): RetryObserver {
  return { call: info => (isWatched() ? new PublishedCall(info) : undefined) };
}

/** The message about a call: what is known at its start, and at the end `result`. */
export interface CallMessage extends CallInfo {
  error?: unknown;
  result?: CallEnd;
}

/** The message about an attempt. */
export interface AttemptMessage extends AttemptInfo {
  readonly operation: string;
  error?: unknown;
  result?: AttemptEnd;
}

interface Events {
  readonly start: Channel;
  readonly end: Channel;
  readonly error: Channel;
  readonly asyncStart: Channel;
  readonly asyncEnd: Channel;
}

const CALL = eventsOf('retryscope:call');
const ATTEMPT = eventsOf('retryscope:attempt');

/** The five channels behind `diagnostics_channel.tracingChannel(name)`. */
function eventsOf(name: string): Events {
  const of = (event: string): Channel => channel(`tracing:${name}:${event}`);
  return {
    start: of('start'),
    end: of('end'),
    error: of('error'),
    asyncStart: of('asyncStart'),
    asyncEnd: of('asyncEnd'),
  };
}

function isWatched(): boolean {
  return [...Object.values(CALL), ...Object.values(ATTEMPT)].some((events: Channel) => events.hasSubscribers);
}

class Published<End extends { readonly outcome: string; readonly error?: unknown }> implements Scope<End> {
  readonly #events: Events;
  readonly #message: { error?: unknown; result?: End };

  constructor(events: Events, message: object) {
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
  readonly #info: CallInfo;
  readonly #call: Published<CallEnd>;

  constructor(info: CallInfo) {
    this.#info = info;
    this.#call = new Published<CallEnd>(CALL, { ...info });
    // The loop has no synchronous part of its own; the channel's start and end enclose nothing.
    this.#call.run(() => undefined);
  }

  attempt(info: AttemptInfo): Scope<AttemptEnd> {
    return new Published<AttemptEnd>(ATTEMPT, { ...info, operation: this.#info.operation });
  }

  end(end: CallEnd): void {
    this.#call.end(end);
  }
}
