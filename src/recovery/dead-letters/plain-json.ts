import { read } from '../../engine/read.ts';
import type { Alteration, Json } from './stored-payload.ts';

/** A value as plain JSON, and what had to be changed; or, where it is larger than allowed, how large it is at least. */
export type PlainJson =
  | { readonly fits: true; readonly value: Json; readonly altered: ReadonlySet<Alteration> }
  | { readonly fits: false; readonly bytes: number };

/**
 * Makes plain JSON of anything. Never throws but when the call stack is full; looks at no more than `limitBytes` of a
 * value, whatever its size. Runs getters and `toJSON` of the value, and nothing else of it. Follows `JSON.stringify` where that has an answer, and
 * notes each place where the text will not say what the value was.
 */
export function toPlainJson(value: unknown, limitBytes: number): PlainJson {
  const walk: Walk = { left: limitBytes, altered: new Set(), ancestors: new Set() };
  try {
    return { fits: true, value: plain(walk, value, 0) ?? null, altered: walk.altered };
  } catch (thrown) {
    if (thrown === TOO_LARGE) return { fits: false, bytes: limitBytes - walk.left };
    throw thrown;
  }
}

/** Whether a text at a place of a list or a record that was made here was a BigInt. JSON cannot say so. */
export function wasBigInt(container: object, key: string | number): boolean {
  return bigInts.get(container)?.has(key) === true;
}

/** By container: the places where BigInts were. */
const bigInts = new WeakMap<object, ReadonlySet<string | number>>();

/** Values that lie deeper are replaced: what nests like that is a program's structure, not its data. */
export const MAX_DEPTH = 100;

interface Walk {
  /** Bytes that may still come. A character of JSON has one at least. */
  left: number;
  readonly altered: Set<Alteration>;
  /** The objects around the present value. */
  readonly ancestors: Set<object>;
}

const TOO_LARGE: unique symbol = Symbol('too large');

function spend(walk: Walk, bytes: number): void {
  walk.left -= bytes;
  if (walk.left < 0) throw TOO_LARGE;
}

/** Undefined for what JSON leaves out. */
function plain(walk: Walk, value: unknown, depth: number): Json | undefined {
  switch (typeof value) {
    case 'string':
      return text(walk, value);
    case 'boolean':
      spend(walk, 4);
      return value;
    case 'number':
      spend(walk, 1);
      if (Number.isFinite(value)) return value;
      walk.altered.add('type');
      return null;
    case 'bigint':
      walk.altered.add('type');
      // Writing out a number takes time quadratic in its digits.
      return text(walk, value > -LARGE && value < LARGE ? `${value}` : '[bigint]');
    case 'object':
      return value === null ? nothing(walk) : structure(walk, value, depth);
    case 'undefined':
      return undefined;
    default:
      walk.altered.add('type');
      return undefined;
  }
}

const LARGE = 10n ** 40n;

function text(walk: Walk, value: string): string {
  spend(walk, value.length + 2);
  if (value.isWellFormed()) return value;
  // Half of a surrogate pair is no text to most databases.
  walk.altered.add('type');
  return value.toWellFormed();
}

function nothing(walk: Walk): null {
  spend(walk, 4);
  return null;
}

function structure(walk: Walk, value: object, depth: number): Json | undefined {
  if (depth >= MAX_DEPTH) return marker(walk, 'depth', '[too deep]');
  if (walk.ancestors.has(value)) return marker(walk, 'circular', '[circular]');
  walk.ancestors.add(value);
  try {
    if (ArrayBuffer.isView(value)) return binary(walk, value);
    const toJSON = read(value, 'toJSON');
    return typeof toJSON === 'function'
      ? converted(walk, value, toJSON as () => unknown, depth)
      : members(walk, value, depth);
  } catch (thrown) {
    if (thrown === TOO_LARGE) throw thrown;
    // A revoked proxy, or a trap that throws.
    return marker(walk, 'unreadable', '[unreadable]');
  } finally {
    walk.ancestors.delete(value);
  }
}

function marker(walk: Walk, alteration: Alteration, words: string): string {
  walk.altered.add(alteration);
  return text(walk, words);
}

/** Bytes are written as base64: a fifth of what JSON makes of a Buffer. */
function binary(walk: Walk, value: ArrayBufferView): string {
  walk.altered.add('type');
  spend(walk, Math.ceil(value.byteLength / 3) * 4 + 2);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
}

/** What the value's own `toJSON` says of it, as of a Date or a URL. */
function converted(walk: Walk, value: object, toJSON: () => unknown, depth: number): Json {
  const other: unknown = Reflect.apply(toJSON, value, []);
  walk.altered.add('type');
  return typeof other === 'object' && other !== null
    ? members(walk, other, depth)
    : (plain(walk, other, depth) ?? null);
}

function members(walk: Walk, value: object, depth: number): Json {
  spend(walk, 2);
  return Array.isArray(value) ? list(walk, value, depth) : record(walk, value, depth);
}

function list(walk: Walk, value: readonly unknown[], depth: number): Json {
  const items: Json[] = [];
  const numbers = new Set<number>();
  const length = value.length;
  for (let i = 0; i < length; i++) {
    spend(walk, 1);
    const { item, isBigInt } = property(walk, value, i, depth);
    if (item === undefined) walk.altered.add('type');
    if (isBigInt) numbers.add(i);
    items.push(item ?? null);
  }
  return remembering(numbers, items);
}

function record(walk: Walk, value: object, depth: number): Json {
  const prototype: object | null = Object.getPrototypeOf(value);
  // The prototype of a plain object has none itself, in whichever realm it was made.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) walk.altered.add('type');
  const entries: [string, Json][] = [];
  const numbers = new Set<string>();
  for (const key of Object.keys(value)) {
    if (key === '__proto__') {
      walk.altered.add('type');
      continue;
    }
    spend(walk, key.length + 4);
    const { item, isBigInt } = property(walk, value, key, depth);
    if (isBigInt) numbers.add(key);
    if (item !== undefined) entries.push([key, item]);
  }
  return remembering(numbers, Object.fromEntries(entries));
}

function remembering<T extends object>(numbers: ReadonlySet<string | number>, container: T): T {
  if (numbers.size > 0) bigInts.set(container, numbers);
  return container;
}

interface Property {
  readonly item: Json | undefined;
  readonly isBigInt: boolean;
}

function property(walk: Walk, value: object, key: string | number, depth: number): Property {
  let item: unknown;
  try {
    item = (value as Record<string | number, unknown>)[key];
  } catch {
    return { item: marker(walk, 'unreadable', '[unreadable]'), isBigInt: false };
  }
  return { item: plain(walk, item, depth + 1), isBigInt: typeof item === 'bigint' };
}
