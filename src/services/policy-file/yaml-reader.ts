import { read } from '../../engine/read.ts';

/**
 * Reads YAML 1.2 of one document, without tags: what JSON could say too.
 *
 * @throws TypeError when the package `yaml` is not installed, or the text is something else; nothing of it is repeated
 */
export async function readYaml(text: string): Promise<unknown> {
  const yaml = await import('yaml').catch(() => {
    throw new TypeError('YAML needs the package yaml: npm install yaml, or write JSON');
  });
  // Its own check for names that stand there twice takes time with the square of their number.
  const document = yaml.parseDocument(text, { uniqueKeys: false, stringKeys: true, logLevel: 'error', merge: false });
  const lineOf = (offset: number): string => {
    const before = text.slice(0, offset).split('\n');
    return ` at line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
  };
  const refuse: Refuse = (what, offset) => {
    throw new TypeError(`${what}${offset === undefined ? '' : lineOf(offset)}`);
  };
  const [error] = document.errors;
  // Its messages may show the text; its codes are words.
  if (error !== undefined) refuse(`it is not YAML: ${error.code.toLowerCase().replaceAll('_', ' ')}`, error.pos[0]);
  if (document.directives?.yaml.version !== '1.2') refuse('it is of another version than 1.2');
  let aliases = 0;
  yaml.visit(document, {
    Node: (_key, node) => {
      const [offset] = node.range ?? [];
      if (read(node, 'tag') !== undefined) refuse('it has a tag', offset);
      if (yaml.isAlias(node) && ++aliases > MOST_ALIASES) refuse(`it has more than ${MOST_ALIASES} aliases`, offset);
      if (yaml.isMap(node)) refuseTwice(node.items, refuse);
    },
  });
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES + 1 });
  } catch {
    return refuse('it has aliases that lead nowhere, or to far too much');
  }
}

type Refuse = (what: string, offset?: number) => never;

/** Enough to name a policy twice, too few to unfold a file without end. */
const MOST_ALIASES = 100;

function refuseTwice(items: readonly { readonly key: unknown }[], refuse: Refuse): void {
  const names = new Set<unknown>();
  for (const { key } of items) {
    const name = String(read(key, 'value'));
    if (names.has(name))
      refuse('it has a name that stands there already', (read(key, 'range') as number[] | undefined)?.[0]);
    names.add(name);
  }
}
