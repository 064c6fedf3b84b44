import { read } from '../../../src/engine/read.ts';
import { prepareQuery } from '../../../src/services/database/database-options.ts';
import { type Queryable, retryQuery } from '../../../src/services/database/index.ts';
import type { Library } from '../../libraries/library.ts';
import { applied, type Callable, patchMethod } from '../../libraries/patching.ts';
import { byItsRule, ruleFor } from '../service-rules.ts';
import { madeFor, optionsOf } from './by-rule.ts';
import { hostOf } from './host-of.ts';

/**
 * `pool.query` of pg with a promise. A client of its own is left alone: its connection may be in a transaction, and one
 * that has broken cannot be used again.
 */
export const pg: Library = {
  name: 'pg',
  does: 'retries',
  module: 'pg-pool',
  versions: ['>=3 <4'],
  patch: exports => {
    const owner = typeof exports === 'function' ? exports : read(exports, 'default');
    patchMethod(read(owner, 'prototype') as object, 'query', query);
    return exports;
  },
};

function query(original: Callable, self: unknown, args: unknown[]): unknown {
  const [statement, values, callback] = args;
  const text = typeof statement === 'string' ? statement : read(statement, 'text');
  const [, keyword] = /^\s*([a-z]+)/i.exec(typeof text === 'string' ? text : '') ?? [];
  const isPlain = callback === undefined && (values === undefined || Array.isArray(values)) && !runsOnce(statement);
  if (keyword === undefined || !isPlain) return applied(original, self, args);
  const rule = ruleFor({ kind: 'database', host: poolHost(read(self, 'options')), name: keyword.toLowerCase() });
  const options = rule === undefined ? undefined : queryOptions(rule);
  if (options === undefined) return applied(original, self, args);
  return byItsRule(() => retryQuery(self as Queryable, statement as string, values as unknown[] | undefined, options));
}

const queryOptions = madeFor(rule => {
  const options = optionsOf(rule);
  prepareQuery(options);
  return options;
});

/** True for a query object, and for one that calls back. */
function runsOnce(statement: unknown): boolean {
  return ['submit', 'callback'].some(name => typeof read(statement, name) === 'function');
}

function poolHost(options: unknown): string | undefined {
  const address = read(options, 'connectionString');
  if (typeof address === 'string' && URL.canParse(address)) {
    const { hostname, port } = new URL(address);
    return hostOf(hostname, port === '' ? undefined : port, 5432);
  }
  const host = read(options, 'host') ?? process.env.PGHOST ?? 'localhost';
  return hostOf(host, read(options, 'port') ?? process.env.PGPORT, 5432);
}
