import { LONGEST_TIMER_MS } from '../../engine/clock.ts';

/** A piece of a JSON schema, as plain data. */
export type JsonSchema = { readonly [key: string]: unknown };

export function text(description: string): JsonSchema {
  return { type: 'string', minLength: 1, description };
}

/** A label of metrics. */
export function name(description: string): JsonSchema {
  return { type: 'string', minLength: 1, maxLength: 200, description };
}

export function boolean(description: string, byDefault: unknown): JsonSchema {
  return { type: 'boolean', description, default: byDefault };
}

export function choice(description: string, values: readonly unknown[], byDefault?: unknown): JsonSchema {
  return { enum: values, description, ...given('default', byDefault) };
}

export function number(description: string, least: number, most: number, byDefault?: number): JsonSchema {
  return { type: 'number', minimum: least, maximum: most, description, ...given('default', byDefault) };
}

export function integer(description: string, least: number, most: number | undefined, byDefault?: number): JsonSchema {
  return { type: 'integer', minimum: least, ...given('maximum', most), description, ...given('default', byDefault) };
}

/** Milliseconds that a timer can wait. */
export function milliseconds(description: string, least: number, byDefault?: number): JsonSchema {
  return number(description, least, LONGEST_TIMER_MS, byDefault);
}

function given(key: string, value: unknown): JsonSchema {
  return value === undefined ? {} : { [key]: value };
}
