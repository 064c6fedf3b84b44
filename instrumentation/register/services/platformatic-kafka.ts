import { read } from '../../../src/engine/read.ts';
import { publishEvent } from '../../../src/services/kafka/index.ts';
import type { Library } from '../../libraries/library.ts';
import { applied, type Callable, patchMethod, prototypeOf } from '../../libraries/patching.ts';
import { byItsRule, ruleFor } from '../service-rules.ts';
import { isTopic, publishOptions } from './kafkajs.ts';

/** `producer.send` of @platformatic/kafka, where all messages are for one topic and no callback is given. */
export const platformaticKafka: Library = {
  name: '@platformatic/kafka',
  does: 'retries',
  module: '@platformatic/kafka',
  versions: ['>=2.12 <3'],
  patch: exports => {
    patchMethod(prototypeOf(exports, 'Producer'), 'send', send);
    return exports;
  },
};

function send(original: Callable, self: unknown, args: unknown[]): unknown {
  const [request, callback] = args;
  const topic = topicOf(read(request, 'messages'));
  const rule = topic === undefined || callback !== undefined ? undefined : ruleFor({ kind: 'kafka', name: topic });
  const options = rule === undefined ? undefined : publishOptions(rule);
  if (options === undefined || topic === undefined) return applied(original, self, args);
  const once = {
    send: (each: unknown) => applied(original, self, [each]) as Promise<unknown>,
    // By these it is recognised.
    initIdempotentProducer: read(self, 'initIdempotentProducer'),
    clearMetadata: () => applied(read(self, 'clearMetadata'), self, []),
  };
  return byItsRule(() => publishEvent(once, { ...(request as object), topic } as never, options));
}

function topicOf(messages: unknown): string | undefined {
  if (!Array.isArray(messages)) return undefined;
  const [topic, ...others] = new Set(messages.map(message => read(message, 'topic')));
  return isTopic(topic) && others.length === 0 ? topic : undefined;
}
