import { LONGEST_TIMER_MS } from './clock.ts';
import { lookAt, read } from './read.ts';

/**
 * Checks every option before anything runs. `what` names the options in the message for something that is no object;
 * `within` stands before the name of each, as `trip.` before what is in the option `trip`.
 *
 * @throws TypeError for an unknown option (it names the nearest known one) and for a value of the wrong type
 * @throws RangeError for a value out of range; both name the option, the value and what is allowed
 */
export function checkOptions(
  what: string,
  options: unknown,
  checks: Readonly<Record<string, Check>>,
  within = '',
): void {
  for (const [name, value] of Object.entries(readOptions(what, options))) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) throw new TypeError(unknownOption(name, value, Object.keys(checks), within));
    if (value !== undefined) check(within + name, value);
  }
}

/**
 * A copy of the own options, each read once: what is checked is what is used.
 *
 * @throws TypeError for what holds no options, such as a signal or a list, and for an option that cannot be read
 */
export function readOptions(what: string, options: unknown): Record<string, unknown> {
  const names = lookAt(() => optionNames(options as object));
  if (names === undefined) throw new TypeError(`${what} are ${show(options)}; they must be an object of options`);
  // Without a prototype, or a name such as __proto__ would not be there to be refused.
  const copy: Record<string, unknown> = Object.create(null);
  for (const name of names) {
    try {
      copy[name] = (options as Record<string, unknown>)[name];
    } catch (cause) {
      throw new TypeError(`${show(name)} cannot be read`, { cause });
    }
  }
  return copy;
}

/** Throws when the value of an option is not allowed. */
export type Check = (name: string, value: unknown) => void;

// What makes a check is marked as free of side effects: bundlers then drop the tables of checks that nobody uses.

/** A check of type, and then of range; `allowed` says in words what both allow. */
/* @__NO_SIDE_EFFECTS__ */
export function ofType(
  allowed: string,
  isType: (value: unknown) => boolean,
  isInRange?: (value: unknown) => boolean,
): Check {
  return (name, value) => {
    if (!isType(value)) throw new TypeError(message(name, value, allowed));
    if (isInRange?.(value) === false) throw new RangeError(message(name, value, allowed));
  };
}

/** A check for milliseconds that a timer can wait. */
/* @__NO_SIDE_EFFECTS__ */
export function milliseconds(least: number): Check {
  return numberFrom(least, LONGEST_TIMER_MS, 'a number of milliseconds');
}

/** A check for a number from `least` to `most`; `what` says of what. */
/* @__NO_SIDE_EFFECTS__ */
export function numberFrom(least: number, most: number, what = 'a number'): Check {
  return ofType(`${what} from ${least} to ${most}`, isNumber, v => (v as number) >= least && (v as number) <= most);
}

/** A check for an integer from `least` to `most`. */
/* @__NO_SIDE_EFFECTS__ */
export function integerFrom(least: number, most: number): Check {
  return ofType(
    `an integer from ${least} to ${most}`,
    isNumber,
    v => Number.isInteger(v) && (v as number) >= least && (v as number) <= most,
  );
}

/** A check for one of a few values. */
/* @__NO_SIDE_EFFECTS__ */
export function oneOf(...values: readonly unknown[]): Check {
  const allowed = values.map(value => (typeof value === 'string' ? `'${value}'` : String(value)));
  return ofType(`${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}`, v => values.includes(v));
}

/** A check for a name: a label of metrics. */
export const checkName: Check = ofType(
  'a string of 1 to 200 characters',
  v => typeof v === 'string',
  v => (v as string).length > 0 && (v as string).length <= 200,
);

/** A check for an object with these functions. */
/* @__NO_SIDE_EFFECTS__ */
export function withFunctions(what: string, ...methods: readonly string[]): Check {
  return ofType(what, v => methods.every(method => isFunction(read(v, method))));
}

/** A check for a function. */
export const checkFunction: Check = ofType('a function', isFunction);

/** A check for true or false. */
export const checkBoolean: Check = ofType('true or false', v => typeof v === 'boolean');

/** A check for a `Clock`. */
export const checkClock: Check = withFunctions('a Clock', 'now', 'wallNow', 'random', 'sleep', 'timer', 'block');

/** A check for a `RetryObserver`. */
export const checkObserver: Check = withFunctions('an object with a function "call"', 'call');

export function isNumber(value: unknown): boolean {
  return typeof value === 'number';
}

export function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

/** `Array.isArray` throws for a Proxy that was revoked. */
export function isList(value: unknown): value is readonly unknown[] {
  return lookAt(() => Array.isArray(value)) === true;
}

/** The message for a value that is not allowed. */
export function message(name: string, value: unknown, allowed: string): string {
  return `${name} is ${show(value)}; it must be ${allowed}`;
}

/** Undefined for what has none and is no plain object: a signal or a list would pass for empty options. */
function optionNames(options: object): string[] | undefined {
  const names = Object.keys(options);
  if (typeof options !== 'object') return undefined;
  const prototype: object | null = Object.getPrototypeOf(options);
  return names.length > 0 || (prototype && Object.getPrototypeOf(prototype)) === null ? names : undefined;
}

function unknownOption(name: string, value: unknown, known: readonly string[], within: string): string {
  if (name === 'retries') {
    const hint = isNumber(value) ? `: retries ${String(value)} is maxAttempts ${(value as number) + 1}` : '';
    return `retries is not an option; maxAttempts counts every execution, the first included${hint}`;
  }
  if (name === 'deadLetter' && !known.includes(name)) {
    return 'deadLetter is an option of defineOperation';
  }
  const nearest = nearestOption(name, known);
  return `${show(within + name)} is not an option${nearest === undefined ? '' : `; did you mean "${within}${nearest}"?`}`;
}

function nearestOption(name: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let shortest = Math.max(2, name.length / 3);
  for (const known of names) {
    const distance = editDistance(name.slice(0, 40).toLowerCase(), known.toLowerCase());
    if (distance <= shortest) [best, shortest] = [known, distance - 1];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const swap = (row[j] as number) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(swap, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** Shows a value in a message without running any of its code. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return isList(value) ? `a list of ${value.length}` : 'an object';
  return typeof value === 'bigint' ? `${value}n` : String(value);
}
