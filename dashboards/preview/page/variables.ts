import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { variableQueriesOf } from '../../src/walk.ts';
import type { Prometheus, Span } from './prometheus.ts';

/** A variable of the dashboard, with what is chosen: all there is. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** What it says on the bar. */
  readonly shown: string;
  /** What it can be set to; undefined for a data source. */
  readonly values?: readonly string[];
  /** What stands for it in a query. */
  readonly inQuery: string;
}

/** Asks for the values of all variables, in their order: one may use those before it. */
export async function readVariables(dashboard: Dashboard, prometheus: Prometheus, span: Span): Promise<Variable[]> {
  const queries = new Map(variableQueriesOf(dashboard).map(({ name, query }) => [name, query]));
  const variables: Variable[] = [];
  for (const { name, label = name, type, query, allValue } of dashboard.templating?.list ?? []) {
    const asked = queries.get(name);
    if (asked === undefined) {
      const shown = type === 'datasource' && query === 'prometheus' ? 'Prometheus' : 'none';
      variables.push({ name, label: label || name, shown, inQuery: '' });
      continue;
    }
    const values = await valuesFor(fillIn(asked, variables, {}), prometheus, span);
    variables.push({ name, label: label || name, shown: 'All', values, inQuery: allValue ?? values.join('|') });
  }
  return variables;
}

/** Fills in `$name` and `${name}`, and what Grafana knows beside the variables, such as `$__rate_interval`. */
export function fillIn(text: string, variables: readonly Variable[], known: Readonly<Record<string, string>>): string {
  const all = new Map([...variables.map(({ name, inQuery }) => [name, inQuery] as const), ...Object.entries(known)]);
  return text.replace(/\$(\w+)|\$\{(\w+)(?::\w+)?\}/g, (whole, plain, braced) => all.get(plain ?? braced) ?? whole);
}

function valuesFor(query: string, prometheus: Prometheus, span: Span): Promise<string[]> {
  const [, selector, label] = /^label_values\((.+),\s*(\w+)\)$/.exec(query) ?? [];
  if (selector === undefined || label === undefined) throw new Error(`${query} is not label_values(selector, label)`);
  return prometheus.labelValues(label, selector, span);
}
