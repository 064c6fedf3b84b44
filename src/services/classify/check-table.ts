import { types } from 'node:util';
import { type Check, checkBoolean, checkOptions, message, oneOf, show } from '../../engine/option-checks.ts';
import type { CodePattern, CodeTable } from './code-table.ts';

/** @throws TypeError or RangeError, naming what is wrong in the table, and what is allowed */
export function checkTable(table: CodeTable): void {
  checkOptions('the codes of the table', table, CHECKS);
  const codes = [table.transient, table.throttled, table.permanent].flatMap(list => list ?? []);
  if (codes.length === 0) {
    throw new RangeError('the table has no codes; one of transient, throttled and permanent must have some');
  }
  const seen = new Set<string>();
  for (const code of codes) {
    const text = `${typeof code} ${String(code)}`;
    if (seen.has(text))
      throw new RangeError(`${nameOf(code)} is in the table twice; each code must be in one list, once`);
    seen.add(text);
  }
}

const ALLOWED = 'a string of 1 to 200 characters, an integer or a pattern';

const checkCode: Check = (name, value) => {
  if (types.isRegExp(value)) return;
  if (typeof value !== 'string' && typeof value !== 'number') throw new TypeError(message(name, value, ALLOWED));
  const isInRange = typeof value === 'number' ? Number.isInteger(value) : value.length > 0 && value.length <= 200;
  if (!isInRange) throw new RangeError(message(name, value, ALLOWED));
};

const checkCodes: Check = (name, value) => {
  if (!Array.isArray(value)) throw new TypeError(message(name, value, 'a list of codes'));
  value.forEach((code, i) => {
    checkCode(`${name}[${i}]`, code);
  });
};

const checkProperties: Check = (name, value) => {
  const allowed = 'a list of 1 to 20 names of properties';
  const isNames = Array.isArray(value) && value.every(each => typeof each === 'string' && each !== '');
  if (!isNames) throw new TypeError(message(name, value, allowed));
  if (value.length < 1 || value.length > 20) throw new RangeError(message(name, value, allowed));
};

const CHECKS: Record<keyof CodeTable, Check> = {
  transient: checkCodes,
  throttled: checkCodes,
  permanent: checkCodes,
  otherwise: oneOf('default', 'transient', 'throttled', 'permanent', 'cancelled'),
  properties: checkProperties,
  causes: checkBoolean,
};

function nameOf(code: CodePattern): string {
  return typeof code === 'object' ? String(code) : show(code);
}
