import { hidesValueOf, redactWithin } from '../../engine/redact.ts';
import { HIDDEN } from '../../engine/redaction-rules.ts';
import { isUuid } from './letter-id.ts';
import { type KeyRole, labelIn, nameIn, roleOf } from './payload-names.ts';
import { wasBigInt } from './plain-json.ts';
import type { Json } from './stored-payload.ts';

/**
 * Takes secrets out of a payload by the redactor of the process (see `setRedactor`): what looks like one in any text or key,
 * and the values that are named like secrets, whatever they are. A value has the name of its key; or the one beside it, as in
 * `{ name: 'password', value: 'x' }`, `['password', 'x']` and lists of names and values by turns, such as Node's
 * `rawHeaders`. Of the arguments themselves, objects behind such a name are looked into instead. A number is hidden only where
 * it is named like a secret, or is that of a card and named like a card.
 *
 * What it leaves is not proven harmless.
 */
export function redactPayload(payload: Json): Json {
  return new Redaction().clean(payload);
}

/** What a name says of the value: that it is a secret, or the number of a card. */
type Kind = 'secret' | 'card' | undefined;

class Redaction {
  readonly #keys = new Map<string, KnownKey>();

  clean(payload: Json): Json {
    // The first argument may well be called session, and the second one be the order.
    return isList(payload) ? this.#list(payload, undefined, item => !isRecord(item)) : this.#value(payload, undefined);
  }

  #value(value: Json, kind: Kind): Json {
    if (kind === 'secret') return HIDDEN;
    if (typeof value === 'string') return clean(value);
    if (typeof value === 'number') return kind === 'card' ? cleanNumber(value) : value;
    if (isList(value)) return this.#list(value, kind);
    return isRecord(value) ? this.#record(value, kind) : value;
  }

  #member(container: object, key: string | number, value: Json, kind: Kind): Json {
    return kind === undefined && wasBigInt(container, key) ? value : this.#value(value, kind);
  }

  #list(items: readonly Json[], kind: Kind, isValue: (item: Json) => boolean = () => true): Json {
    return items.map((item, i) => {
      const told = isValue(item) ? this.#toldAt(items, i - 1) : undefined;
      return this.#member(items, i, item, told ?? kind);
    });
  }

  /** What an item says of the next one. Names stand at even places, flags wherever they like. */
  #toldAt(items: readonly Json[], i: number): Kind {
    const item = items[i];
    if (typeof item !== 'string' || (i % 2 !== 0 && !item.startsWith('-'))) return undefined;
    const name = nameIn(item);
    return name === undefined ? undefined : this.#key(name).own;
  }

  #record(record: { readonly [key: string]: Json }, kind: Kind): Json {
    const entries = Object.entries(record);
    const told = this.#toldIn(entries);
    return Object.fromEntries(
      entries.map(([key, item]) => {
        const { text, own, role } = this.#key(key);
        const given = (role.isValue ? told : undefined) ?? (role.isNumber && kind === 'card' ? kind : own);
        return [text, this.#member(record, key, item, own === 'secret' ? own : given)];
      }),
    );
  }

  /** What a record says of its values by a name that it holds. */
  #toldIn(entries: readonly (readonly [string, Json])[]): Kind {
    let told: Kind;
    for (const [key, item] of entries) {
      if (typeof item !== 'string' || !this.#key(key).role.isName) continue;
      const name = labelIn(item);
      const kind = name === undefined ? undefined : this.#key(name).own;
      if (kind === 'secret') return kind;
      told ??= kind;
    }
    return told;
  }

  #key(key: string): KnownKey {
    const seen = this.#keys.get(key);
    if (seen !== undefined) return seen;
    const role = roleOf(key);
    const own = hidesValueOf(key) ? 'secret' : role.isCard ? 'card' : undefined;
    const known: KnownKey = { text: clean(key), own, role };
    this.#keys.set(key, known);
    return known;
  }
}

interface KnownKey {
  /** The key without secrets. */
  readonly text: string;
  /** What it says of its value by itself. */
  readonly own: Kind;
  readonly role: KeyRole;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isRecord(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function clean(text: string): string {
  // One in some thousand identifiers has digits that could be a card's.
  return isUuid(text) ? text : redactWithin(text, longest(text));
}

/** Room for a text of secrets alone, each of one character. */
function longest(text: string): number {
  return (text.length + 1) * (HIDDEN.length + 1);
}

function cleanNumber(value: number): Json {
  if (value < SHORTEST_CARD || !Number.isInteger(value)) return value;
  const text = String(value);
  return clean(text) === text ? value : HIDDEN;
}

const SHORTEST_CARD = 10 ** 12;
