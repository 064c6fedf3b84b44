import { read } from '../../../src/engine/read.ts';
import { publishEvent } from '../../../src/services/kafka/index.ts';
import { preparePublish } from '../../../src/services/kafka/publish-options.ts';
import { kafkajs as observed } from '../../libraries/kafkajs.ts';
import type { Library } from '../../libraries/library.ts';
import { applied, type Callable, patchMethod, prototypeOf } from '../../libraries/patching.ts';
import { byItsRule, ruleFor } from '../service-rules.ts';
import { madeFor, optionsOf } from './by-rule.ts';

/** `producer.send` of kafkajs. Transactions are left alone: what is in them is not to be sent by halves. */
export const kafkajs: Library = {
  name: 'kafkajs',
  does: 'retries',
  module: 'kafkajs',
  versions: observed.versions,
  patch: exports => {
    patchMethod(prototypeOf(exports, 'Kafka'), 'producer', (producer, self, args) => {
      const made = applied(producer, self, args);
      patchMethod(made as object, 'send', send);
      return made;
    });
    return exports;
  },
};

function send(original: Callable, self: unknown, args: unknown[]): unknown {
  const [record] = args;
  const topic = read(record, 'topic');
  const rule = isTopic(topic) && isSent(read(record, 'messages')) ? ruleFor({ kind: 'kafka', name: topic }) : undefined;
  const options = rule === undefined ? undefined : publishOptions(rule);
  if (options === undefined) return applied(original, self, args);
  const once = { send: (request: unknown) => applied(original, self, [request]) as Promise<unknown> };
  return byItsRule(() => publishEvent(once, record as never, options));
}

/** What is none is for the client to refuse, in its own words. */
export function isTopic(topic: unknown): topic is string {
  return typeof topic === 'string' && topic !== '';
}

function isSent(messages: unknown): boolean {
  return Array.isArray(messages) && messages.every(message => typeof message === 'object' && message !== null);
}

/** The options of a rule for a publish; the same object each time, since it is checked once. */
export const publishOptions: (rule: Parameters<typeof optionsOf>[0]) => ReturnType<typeof optionsOf> | undefined =
  madeFor(rule => {
    const options = optionsOf(rule);
    preparePublish(options);
    return options;
  });
