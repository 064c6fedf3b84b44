import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** A range that no query asks for itself, so that it tells where `$__rate_interval` stood. */
export const RATE_INTERVAL = '299s';

const INTERVALS: Readonly<Record<string, string>> = {
  $__rate_interval: RATE_INTERVAL,
  $__range: '3599s',
  $__interval: '59s',
};

/** One selector of a query: `name{label="value"}`. */
export interface Selector {
  /** Undefined where a matcher of `__name__` stands for it. */
  readonly name: string | undefined;
  readonly matchers: readonly Matcher[];
  /** `name[range]`: the range. */
  readonly range: string | undefined;
  /** The function that the selector, or its range, is put into. */
  readonly within: string | undefined;
}

/** One matcher of a selector. */
export interface Matcher {
  readonly label: string;
  readonly op: string;
  readonly value: string;
}

/** A query that is PromQL. */
export interface Parsed {
  readonly text: string;
  readonly top: SyntaxNode;
}

/** Puts durations for what Grafana fills in outside of strings. What is in a string is a string without it, too. */
export function expand(query: string): string {
  return query.replace(/\$__\w+/g, name => INTERVALS[name] ?? name);
}

/**
 * Parses a query, with Grafana's variables in it.
 *
 * @throws SyntaxError when it is not PromQL
 */
export function parsePromql(query: string): Parsed {
  const text = expand(query);
  const tree = parser.parse(text);
  tree.iterate({
    enter: ({ type, from }) => {
      if (type.isError) throw new SyntaxError(`no PromQL at ${from}: ${text}`);
    },
  });
  const top = tree.topNode.firstChild;
  if (top === null) throw new SyntaxError('an empty query');
  return { text, top };
}

/** Whether a query is PromQL. */
export function isPromql(query: string): boolean {
  try {
    parsePromql(query);
    return true;
  } catch {
    return false;
  }
}

/** All selectors of a query; none where it is not PromQL. */
export function selectorsOf(query: string): Selector[] {
  if (!isPromql(query)) return [];
  const { text, top } = parsePromql(query);
  return descendants(top, 'VectorSelector').map(node => selectorAt(node, text));
}

/** The selector at a node. */
export function selectorAt(node: SyntaxNode, text: string): Selector {
  const matrix = node.parent?.name === 'MatrixSelector' ? node.parent : undefined;
  let around = matrix ?? node;
  while (around.parent?.name === 'OffsetExpr' || around.parent?.name === 'ParenExpr') around = around.parent;
  const call = around.parent?.name === 'FunctionCallBody' ? around.parent.parent : null;
  return {
    name: textOf(node.getChild('Identifier'), text),
    matchers: descendants(node, 'UnquotedLabelMatcher').map(matcher => ({
      label: textOf(matcher.getChild('LabelName'), text) ?? '',
      op: textOf(matcher.getChild('MatchOp'), text) ?? '',
      value: JSON.parse(textOf(matcher.getChild('StringLiteral'), text) ?? '""') as string,
    })),
    range: textOf(matrix?.getChild('DurationExpr') ?? null, text),
    within: textOf(call?.getChild('FunctionIdentifier') ?? null, text),
  };
}

/** The nodes of a name, at and below a node. */
export function descendants(node: SyntaxNode, name: string): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  node.cursor().iterate(({ node: at }) => {
    if (at.name === name) found.push(at);
  });
  return found;
}

/** The text of a node. */
export function textOf(node: SyntaxNode | null, text: string): string | undefined {
  return node === null ? undefined : text.slice(node.from, node.to);
}
