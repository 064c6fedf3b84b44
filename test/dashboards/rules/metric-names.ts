import { parser } from '@prometheus-io/lezer-promql';

/**
 * The names of the metrics that a PromQL expression reads.
 *
 * @throws Error when it does not parse
 */
export function metricNames(expr: string): string[] {
  const names: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ type, name, node, from, to }) => {
      if (type.isError) throw new Error(`no PromQL at character ${from}: ${expr}`);
      if (name === 'Identifier' && node.parent?.name === 'VectorSelector') names.push(expr.slice(from, to));
    },
  });
  return [...new Set(names)];
}
