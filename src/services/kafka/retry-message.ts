import { onAbort } from '../../engine/abort.ts';
import type { AttemptContext } from '../../engine/attempt.ts';
import { type Classifier, classify, type RetryOn } from '../../engine/classify.ts';
import { execute } from '../../engine/execute.ts';
import { callHook } from '../../engine/hook.ts';
import { checkClock, checkFunction, milliseconds } from '../../engine/option-checks.ts';
import type { StopHookEvent } from '../../engine/options.ts';
import type { StopReason } from '../../engine/outcome.ts';
import { createPolicy, type Policy } from '../../engine/policy.ts';
import { read } from '../../engine/read.ts';
import { systemClock } from '../../engine/system-clock.ts';
import { requireFunction } from '../../forms/require-function.ts';
import { refuseHedge, type ServiceKindTerms, type ServiceOptions, serviceOptions } from '../service-policy.ts';
import type { DeadLetter } from './dead-letter.ts';
import { BeatingClock, type Heartbeat, startBeating } from './heartbeats.ts';
import { kafkaCode, unwrapped } from './kafka-error.ts';
import { REBALANCE_CODES } from './protocol-errors.ts';

/**
 * How to retry a message: the options of a policy, with the defaults of {@link MESSAGE_DEFAULTS}, and what follows. There
 * is no budget by default: a partition sends one message at a time, so its load is bounded anyway, and what an empty
 * budget would do in an outage is to make a dead letter of each message of the backlog at its first failure.
 */
export interface MessageOptions<Payload = unknown>
  extends Omit<ServiceOptions<never, never>, 'fallback' | 'hedge' | 'retryOnResult'> {
  /**
   * Gets a message that was given up; see `deadLetterTo`. Once it has resolved, the message counts as consumed. Default
   * none: the error goes to the client, which delivers the message again.
   */
  readonly deadLetter?: DeadLetter<Payload>;
  /**
   * Milliseconds between heartbeats while a message waits, or becomes a dead letter. Only for payloads with a `heartbeat`,
   * as those of kafkajs. Default 3000. Range 1 to 2^31-1; keep it far below the session timeout.
   */
  readonly heartbeatInterval?: number;
}

/**
 * What holds where an option of a consumer is left out. `maxElapsed` stays below five minutes, Kafka's own
 * `max.poll.interval.ms`, after which a partition would be another's; it cuts off a handler that takes longer.
 */
export const MESSAGE_DEFAULTS: Readonly<
  Required<
    Pick<MessageOptions, 'operation' | 'maxAttempts' | 'initialDelay' | 'maxDelay' | 'maxElapsed' | 'heartbeatInterval'>
  >
> = Object.freeze({
  operation: 'kafka_consume',
  maxAttempts: 3,
  initialDelay: 1000,
  maxDelay: 10_000,
  maxElapsed: 240_000,
  heartbeatInterval: 3000,
});

/**
 * Makes a handler of messages that retries, and hands a message that it gives up to `deadLetter`, so that one message never
 * holds up its partition for good. For `eachMessage` of kafkajs and of Confluent's client, and for any other handler of one
 * message.
 *
 * Messages are handled in order, so the partition waits while one is retried: at most `maxElapsed`. Meanwhile the heartbeats
 * go on. When one of them says that the group is rebalanced, or the handler throws that, the message is neither retried
 * nor a dead letter: the error goes to the client, and the message to whoever has the partition then. The same holds when
 * `signal` aborts, and for an open circuit, which says nothing against the message.
 *
 * @throws TypeError or RangeError at once, when an option is wrong
 *
 * @example
 * ```ts
 * await consumer.run({
 *   eachMessage: retryMessage(({ message }) => handle(message), { deadLetter: deadLetterTo(producer) }),
 * });
 * ```
 */
export function retryMessage<Payload>(
  handler: (payload: Payload, attempt: AttemptContext) => unknown,
  options: MessageOptions<Payload> = {},
): (payload: Payload) => Promise<void> {
  requireFunction('retryMessage', handler);
  const consumer = prepare(options);
  return payload => consume(consumer, handler, payload);
}

interface Consumer<Payload> {
  readonly policy: Policy;
  readonly clock: BeatingClock;
  readonly intervalMs: number;
  readonly options: MessageOptions<Payload>;
}

function prepare<Payload>(options: MessageOptions<Payload>): Consumer<Payload> {
  const refine =
    (retryOn: RetryOn | undefined): Classifier =>
    (error, { attempt }) =>
      isRebalanced(error) ? 'cancelled' : classify(retryOn, error, attempt);
  const checked = serviceOptions(MESSAGE, options as MessageOptions<never>, refine);
  const clock = new BeatingClock(options.clock ?? systemClock);
  const intervalMs = options.heartbeatInterval ?? heartbeatInterval;
  return { policy: createPolicy({ ...checked, clock }), clock, intervalMs, options };
}

const { heartbeatInterval, ...defaults } = MESSAGE_DEFAULTS;

const MESSAGE: ServiceKindTerms = {
  what: 'message options',
  budget: undefined,
  defaults,
  checks: {
    deadLetter: checkFunction,
    heartbeatInterval: milliseconds(1),
    clock: checkClock,
    hedge: refuseHedge('for a consumer: a message would be handled twice at the same time'),
  },
};

async function consume<Payload>(
  { policy, clock, intervalMs, options }: Consumer<Payload>,
  handler: (payload: Payload, attempt: AttemptContext) => unknown,
  payload: Payload,
): Promise<void> {
  const heartbeat = heartbeatOf(payload);
  const lifeline = heartbeat === undefined ? undefined : new Lifeline(options.signal);
  if (heartbeat !== undefined && lifeline !== undefined) {
    clock.beatFor(lifeline.signal, { heartbeat, intervalMs, onFailure: error => lifeline.cut(error) });
  }
  let stopped: StopHookEvent | undefined;
  const onStop = (event: StopHookEvent): void => {
    stopped = event;
    if (policy.onStop !== undefined) callHook(policy.onStop, event);
  };
  try {
    const perCall = { signal: lifeline?.signal ?? options.signal, deadline: options.deadline };
    await execute({ ...policy, onStop }, attempt => handler(payload, attempt), perCall);
  } catch (error) {
    const { deadLetter } = options;
    if (deadLetter === undefined || stopped === undefined || KEPT.has(stopped.reason) || isRebalanced(error))
      throw error;
    const { operation: _, error: __, ...summary } = stopped;
    const stop =
      heartbeat === undefined ? undefined : startBeating(clock, { heartbeat, intervalMs, onFailure: () => undefined });
    try {
      await deadLetter(payload, error, Object.freeze(summary));
    } finally {
      stop?.();
    }
  } finally {
    lifeline?.release();
  }
}

/** Reasons that say nothing against a message: it is to be delivered again. */
const KEPT: ReadonlySet<StopReason> = new Set(['aborted', 'circuit_open']);

/** True for an error by which the group takes the partition away, or may have taken it. */
function isRebalanced(error: unknown): boolean {
  const code = kafkaCode(unwrapped(error));
  return code !== undefined && REBALANCE_CODES.has(code);
}

function heartbeatOf(payload: unknown): Heartbeat | undefined {
  const heartbeat = read(payload, 'heartbeat');
  return typeof heartbeat === 'function' ? () => Reflect.apply(heartbeat, payload, []) as unknown : undefined;
}

/** The signal of one message: aborts with the caller's, or when a heartbeat has failed. */
class Lifeline {
  readonly #controller = new AbortController();
  readonly #stopListening: (() => void) | undefined;

  constructor(outer: AbortSignal | undefined) {
    if (outer?.aborted === true) this.cut(outer.reason);
    else if (outer !== undefined) this.#stopListening = onAbort(outer, () => this.cut(outer.reason));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  cut(reason: unknown): void {
    this.#controller.abort(reason);
  }

  release(): void {
    this.#stopListening?.();
  }
}
