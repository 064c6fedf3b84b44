import type { SyntaxNode } from '@lezer/common';
import { labelsOf } from './catalogue.ts';
import { descendants, type Parsed, selectorAt, textOf } from './promql.ts';

/**
 * The labels that the result of a query has.
 *
 * @throws Error when it groups or matches by a label that is not there
 */
export function resultLabels({ text, top }: Parsed): ReadonlySet<string> {
  return labelsAt(top, text);
}

type Labels = ReadonlySet<string>;

const NONE: Labels = new Set();

function labelsAt(node: SyntaxNode, text: string): Labels {
  switch (node.name) {
    case 'VectorSelector':
      return labelsOf(selectorAt(node, text));
    case 'AggregateExpr':
      return ofAggregate(node, text);
    case 'FunctionCall':
      return ofCall(node, text);
    case 'BinaryExpr':
      return ofBinary(node, text);
    case 'MatrixSelector':
    case 'OffsetExpr':
    case 'ParenExpr':
    case 'UnaryExpr':
    case 'SubqueryExpr':
      return labelsAt(operands(node)[0] ?? node, text);
    case 'NumberDurationLiteral':
    case 'StringLiteral':
      return NONE;
    default:
      throw new Error(`${node.name} in ${text}`);
  }
}

function ofAggregate(node: SyntaxNode, text: string): Labels {
  const args = operands(node.getChild('FunctionCallBody') ?? node).map(arg => labelsAt(arg, text));
  const inner = args.at(-1) ?? NONE;
  const modifier = node.getChild('AggregateModifier');
  const by = modifier === null ? [] : names(modifier.getChild('GroupingLabels'), text);
  const op = textOf(node.getChild('AggregateOp'), text) ?? '';
  if (['topk', 'bottomk'].includes(op)) {
    present(by, inner, text);
    return inner;
  }
  if (modifier?.getChild('Without') != null) return without(inner, present(by, inner, text));
  return present(by, inner, text);
}

function ofCall(node: SyntaxNode, text: string): Labels {
  const called = textOf(node.getChild('FunctionIdentifier'), text);
  const args = operands(node.getChild('FunctionCallBody') ?? node);
  const inner = args.map(arg => labelsAt(arg, text)).reduce(union, NONE);
  if (called === 'vector' || called === 'scalar') return NONE;
  if (called === 'histogram_quantile') return without(inner, present(['le'], inner, text));
  if (called !== 'label_join' && called !== 'label_replace') return inner;
  const [made = '', , ...sources] = args.slice(1).map(arg => JSON.parse(textOf(arg, text) ?? '""') as string);
  if (called === 'label_join') present(sources, inner, text);
  return new Set([...inner, made]);
}

function ofBinary(node: SyntaxNode, text: string): Labels {
  const [left = NONE, right = NONE] = operands(node).map(side => labelsAt(side, text));
  const modifier = node.getChild('MatchingModifierClause');
  const [matched, copied] = modifier?.getChildren('GroupingLabels').map(list => names(list, text)) ?? [];
  const isOn = modifier?.getChild('On') != null;
  if (matched !== undefined && isOn) {
    present(matched, left, text);
    present(matched, right, text);
  }
  if (node.getChild('Or') !== null) return union(left, right);
  if (modifier?.getChild('GroupLeft') != null) return union(left, present(copied ?? [], right, text));
  if (modifier?.getChild('GroupRight') != null) return union(right, present(copied ?? [], left, text));
  const keepsLeft = ['And', 'Unless', 'Gtr', 'Lss', 'Gte', 'Lte', 'EqlC', 'Neq'].some(op => node.getChild(op) !== null);
  if (keepsLeft || matched === undefined) return left.size === 0 ? right : left;
  return isOn ? new Set(matched) : without(left, new Set(matched));
}

function present(wanted: readonly string[], labels: Labels, text: string): Labels {
  const missing = wanted.filter(label => !labels.has(label));
  if (missing.length > 0) throw new Error(`no ${missing.join(', ')} among ${[...labels].join(', ')} in ${text}`);
  return new Set(wanted);
}

function union(one: Labels, other: Labels): Labels {
  return new Set([...one, ...other]);
}

function without(all: Labels, some: Labels): Labels {
  return new Set([...all].filter(label => !some.has(label)));
}

function names(list: SyntaxNode | null, text: string): string[] {
  return list === null ? [] : descendants(list, 'LabelName').map(name => textOf(name, text) ?? '');
}

const OPERANDS: ReadonlySet<string> = new Set([
  'VectorSelector',
  'MatrixSelector',
  'AggregateExpr',
  'FunctionCall',
  'BinaryExpr',
  'OffsetExpr',
  'ParenExpr',
  'UnaryExpr',
  'SubqueryExpr',
  'NumberDurationLiteral',
  'StringLiteral',
]);

function operands(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (OPERANDS.has(child.name)) found.push(child);
  }
  return found;
}
