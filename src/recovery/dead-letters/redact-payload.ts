import { redactWithin } from '../../engine/redact.ts';
import { HIDDEN } from '../../engine/redaction-rules.ts';
import { isSecretName } from '../../engine/secret-names.ts';
import { isUuid } from './letter-id.ts';
import type { Json } from './stored-payload.ts';

/**
 * Takes secrets out of a payload by the redactor of the process (see `setRedactor`): the values of keys that are named like
 * secrets, whatever they are, and what looks like one in any text, key or number. What it leaves is not proven harmless.
 */
export function redactPayload(payload: Json): Json {
  return redacted(payload, new Map());
}

/** Whether the value of a key is hidden, for the keys that were met. */
type KnownKeys = Map<string, boolean>;

function redacted(value: Json, known: KnownKeys): Json {
  if (typeof value === 'string') return clean(value);
  if (typeof value === 'number') return cleanNumber(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: Json) => redacted(item, known));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [clean(key), hidesKey(key, known) ? HIDDEN : redacted(item, known)]),
  );
}

function clean(text: string): string {
  // One in some thousand identifiers has digits that could be a card's.
  return isUuid(text) ? text : redactWithin(text, longest(text));
}

/** Room for a text of secrets alone, each of one character. */
function longest(text: string): number {
  return (text.length + 1) * (HIDDEN.length + 1);
}

/** A card number may well be a number. */
function cleanNumber(value: number): Json {
  if (value < SHORTEST_CARD || !Number.isInteger(value)) return value;
  const text = String(value);
  return clean(text) === text ? value : HIDDEN;
}

const SHORTEST_CARD = 10 ** 12;

function hidesKey(key: string, known: KnownKeys): boolean {
  const seen = known.get(key);
  if (seen !== undefined) return seen;
  // The redactor of the user may know names that we do not; it is asked by way of an example.
  const example = `${key}: "x"`;
  const isHidden = isSecretName(key) || !clean(example).endsWith('"x"');
  known.set(key, isHidden);
  return isHidden;
}
