import { type Classifier, classify, type RetryOn } from '../../engine/classify.ts';
import { checkBoolean, oneOf } from '../../engine/option-checks.ts';
import { RetryPolicy } from '../../forms/retry-policy.ts';
import { type ServiceKindTerms, type ServiceOptions, serviceOptions } from '../service-policy.ts';
import { classifyKafkaError } from './classify-kafka-error.ts';
import { mayBePublished } from './may-be-published.ts';

/**
 * How to publish: the options of a policy, with the defaults of {@link PUBLISH_DEFAULTS}, and some of Kafka alone. The
 * budget that holds by default is named `kafka`, and every publish of the process shares it; `'none'` switches it off.
 */
export interface PublishOptions extends Omit<ServiceOptions<never, never>, 'fallback' | 'retryOnResult'> {
  /**
   * What follows an error that leaves open whether the message was written (see `mayBePublished`). Default `'retry'`:
   * each message arrives at least once, and perhaps twice. `'stop'`: at most once, and perhaps never; there is no `hedge`
   * then, which would publish a second time although nothing has failed.
   */
  readonly unknownOutcome?: 'retry' | 'stop';
  /** Tells the consumer in a header `retry-attempt: 2; max=3` which attempt has reached it. Default false. */
  readonly attemptHeader?: boolean;
}

/** What holds where an option of a publish is left out. */
export const PUBLISH_DEFAULTS: Readonly<
  Required<Pick<PublishOptions, 'operation' | 'maxAttempts' | 'initialDelay' | 'maxDelay' | 'unknownOutcome'>>
> = Object.freeze({
  operation: 'kafka_publish',
  maxAttempts: 3,
  initialDelay: 1000,
  maxDelay: 10_000,
  unknownOutcome: 'retry',
});

/** Options that were checked, and the policy that they come to. */
export interface PreparedPublish {
  readonly policy: RetryPolicy<unknown, never>;
  readonly attemptHeader: boolean;
}

/**
 * Checks options once; the same object gives the same policy again.
 *
 * @throws TypeError or RangeError, naming the option, the value and what is allowed
 */
export function preparePublish(options: PublishOptions = NOTHING): PreparedPublish {
  const known = typeof options === 'object' && options !== null ? prepared.get(options) : undefined;
  if (known !== undefined) return known;
  const isStopped = options?.unknownOutcome === 'stop';
  if (isStopped && options.hedge !== undefined) {
    throw new TypeError("hedge is no option beside unknownOutcome: 'stop': a message would be published twice");
  }
  const refine = (retryOn: RetryOn = classifyKafkaError): RetryOn => (isStopped ? stopWhenOpen(retryOn) : retryOn);
  const policy = new RetryPolicy<unknown, never>(serviceOptions<unknown, never>(PUBLISH, options, refine));
  const made = { policy, attemptHeader: options.attemptHeader === true };
  prepared.set(options, made);
  return made;
}

const NOTHING: PublishOptions = Object.freeze({});
const prepared = new WeakMap<PublishOptions, PreparedPublish>();
const { unknownOutcome: _, ...defaults } = PUBLISH_DEFAULTS;

const PUBLISH: ServiceKindTerms = {
  what: 'publish options',
  budget: 'kafka',
  defaults,
  checks: { unknownOutcome: oneOf('retry', 'stop'), attemptHeader: checkBoolean },
};

function stopWhenOpen(retryOn: RetryOn): Classifier {
  return (error, { attempt }) => (mayBePublished(error) ? 'permanent' : classify(retryOn, error, attempt));
}
