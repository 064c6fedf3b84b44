import { message, show } from '../../engine/option-checks.ts';
import { MOST_LEVELS } from './json-mistakes.ts';

/**
 * Refuses what JSON has not (YAML has dates, sets and infinite numbers), names that are part of every object, merge
 * keys, circles and what is nested too deeply.
 *
 * @throws TypeError, naming the place
 */
export function refuseOddities(value: unknown): void {
  levelsOf(value, '', new Map());
}

/** A name as it may stand in a message: in quotes where it holds more than letters, and never long. */
export function shownName(name: string): string {
  return /^[\w./:@*{}-]{1,60}$/.test(name) ? name : show(name);
}

const INHERITED = new Set(['__proto__', 'constructor', 'prototype']);

/** How many levels a value has. What several aliases lead to is looked at once, or small files would take long. */
function levelsOf(value: unknown, at: string, known: Map<object, number>): number {
  if (typeof value !== 'object' || value === null) {
    if (isJson(value)) return 0;
    throw new TypeError(message(at === '' ? 'it' : at, value, 'what JSON can hold too'));
  }
  const earlier = known.get(value);
  if (earlier !== undefined) return earlier;
  const text = Object.prototype.toString.call(value);
  if (text !== '[object Object]' && text !== '[object Array]') {
    throw new TypeError(`${at === '' ? 'it' : at} is no text, number, list or object`);
  }
  // Until it is known, it is as deep as can be: a circle is then too deep, however it is reached.
  known.set(value, MOST_LEVELS);
  let inside = 0;
  for (const [name, inner] of Object.entries(value)) {
    const place = Array.isArray(value) ? `${at}[${name}]` : `${at}${at === '' ? '' : '.'}${shownName(name)}`;
    if (!Array.isArray(value)) refuseName(name, place);
    inside = Math.max(inside, levelsOf(inner, place, known));
    if (inside >= MOST_LEVELS) throw new TypeError(`it has more than ${MOST_LEVELS} levels`);
  }
  known.set(value, inside + 1);
  return inside + 1;
}

function refuseName(name: string, place: string): void {
  if (INHERITED.has(name)) throw new TypeError(`"${place}" may not be a name`);
  if (name === '<<')
    throw new TypeError(`${place}: merge keys are not followed; write the options out, or name a policy`);
}

function isJson(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}
