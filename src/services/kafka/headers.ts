import type { KafkaMessage } from './events.ts';

/** Which of the three clients a producer belongs to: they differ in how they take headers. */
export type ClientKind = 'kafkajs' | 'platformatic' | 'librdkafka';

/**
 * A copy of a message with more headers, in the form that it has or, without any, in that of the client. A header of the
 * same name is replaced.
 */
export function addHeaders(kind: ClientKind, message: KafkaMessage, added: AddedHeaders): KafkaMessage {
  const { headers } = message;
  if (Array.isArray(headers) || (kind === 'librdkafka' && !(headers instanceof Map))) {
    const list = Object.entries(added).map(([name, value]) => ({ [name]: value }));
    return { ...message, headers: [...listOf(headers, added), ...list] };
  }
  if (headers instanceof Map || (kind === 'platformatic' && (headers === undefined || headers === null))) {
    return { ...message, headers: addToMap(message, headers ?? new Map(), added) };
  }
  const values = kind === 'platformatic' ? asIn(message, added) : added;
  return { ...message, headers: { ...(headers as object | undefined), ...values } };
}

/** Headers of our own, by name. */
export type AddedHeaders = Readonly<Record<string, Buffer>>;

/** The headers of a message as the client takes them. */
export function headersFor(kind: ClientKind, headers: unknown): unknown {
  if (headers === undefined || headers === null) return undefined;
  if (kind === 'librdkafka') return Array.isArray(headers) ? headers : listOf(headers, {});
  if (kind === 'platformatic') return Array.isArray(headers) ? new Map(entriesOf(headers)) : headers;
  return headers instanceof Map || Array.isArray(headers) ? recordOf(entriesOf(headers)) : headers;
}

type Entry = readonly [name: unknown, value: unknown];

function entriesOf(headers: unknown): Entry[] {
  if (headers instanceof Map) return [...headers.entries()];
  if (Array.isArray(headers)) return headers.flatMap(each => Object.entries(Object(each)));
  return Object.entries(Object(headers));
}

/** Librdkafka's form, without the headers that `replaced` has. */
function listOf(headers: unknown, replaced: AddedHeaders): object[] {
  return entriesOf(headers)
    .filter(([name]) => !Object.hasOwn(replaced, String(name)))
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map(each => ({ [String(name)]: each })));
}

/** A record, where a name that comes twice has a list of values. */
function recordOf(entries: readonly Entry[]): Record<string, unknown> {
  const byName = Map.groupBy(entries, ([name]) => String(name));
  return Object.fromEntries(
    [...byName].map(([name, found]) => [name, found.length === 1 ? found[0]?.[1] : found.map(([, value]) => value)]),
  );
}

function addToMap(
  message: KafkaMessage,
  headers: ReadonlyMap<unknown, unknown>,
  added: AddedHeaders,
): Map<unknown, unknown> {
  const [name] = headers.keys();
  const hasStringNames = typeof (name ?? message.value) === 'string';
  return new Map([
    ...[...headers].filter(([known]) => !Object.hasOwn(added, String(known))),
    ...Object.entries(asIn(message, added)).map(([key, value]): [unknown, unknown] => [
      hasStringNames ? key : Buffer.from(key),
      value,
    ]),
  ]);
}

/** Strings where the message has strings: the serializers of @platformatic/kafka take either those or bytes. */
function asIn(message: KafkaMessage, added: AddedHeaders): Readonly<Record<string, Buffer | string>> {
  const sample = entriesOf(message.headers ?? {})[0]?.[1] ?? message.value;
  if (typeof sample !== 'string') return added;
  return Object.fromEntries(Object.entries(added).map(([name, value]) => [name, value.toString()]));
}
