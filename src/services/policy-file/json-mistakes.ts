/**
 * The first mistake in a JSON text and its place, in words that repeat nothing of the text; undefined when there is
 * none. `JSON.parse` shows a part of the text in its messages, and takes a name that stands there twice for one.
 */
export function findMistake(text: string): string | undefined {
  const open: Level[] = [];
  let expected: Expected = 'value';
  let end = 0;
  for (const match of text.matchAll(TOKENS)) {
    const [token] = match;
    end = match.index + token.length;
    if (/^[ \t\r\n]/.test(token)) continue;
    const next = step(expected, token, open);
    if (next === undefined) return at(text, match.index, `${wanted(expected)} is missing`);
    if (next === 'twice') return at(text, match.index, 'a name that stands there already');
    expected = next;
    if (open.length > MOST_LEVELS) return at(text, match.index, `more than ${MOST_LEVELS} levels`);
  }
  if (end !== text.length) return at(text, end, 'something unexpected');
  return expected === 'end' ? undefined : at(text, end, `${wanted(expected)} is missing`);
}

/** What may come next. */
type Expected = 'value' | 'valueOrClose' | 'name' | 'nameOrClose' | 'colon' | 'commaOrClose' | 'end';

/** The names of an object so far; undefined in a list. */
type Level = Set<string> | undefined;

/** As deep as nothing in a policy file is. */
export const MOST_LEVELS = 20;

const TOKENS =
  /[ \t\r\n]+|[{}[\],:]|"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/guy;

function step(expected: Expected, token: string, open: Level[]): Expected | 'twice' | undefined {
  switch (expected) {
    case 'nameOrClose':
      return token === '}' ? close(open) : name(token, open);
    case 'name':
      return name(token, open);
    case 'colon':
      return token === ':' ? 'value' : undefined;
    case 'valueOrClose':
      return token === ']' ? close(open) : value(token, open);
    case 'value':
      return value(token, open);
    case 'commaOrClose': {
      const isList = open.at(-1) === undefined;
      if (token === ',') return isList ? 'value' : 'name';
      return token === (isList ? ']' : '}') ? close(open) : undefined;
    }
    case 'end':
      return undefined;
  }
}

function value(token: string, open: Level[]): Expected | undefined {
  if (token === '{') {
    open.push(new Set());
    return 'nameOrClose';
  }
  if (token === '[') {
    open.push(undefined);
    return 'valueOrClose';
  }
  if (/^[}\],:]/.test(token)) return undefined;
  return open.length === 0 ? 'end' : 'commaOrClose';
}

function name(token: string, open: Level[]): Expected | 'twice' | undefined {
  if (!token.startsWith('"')) return undefined;
  const names = open.at(-1);
  // The same name may be written in more than one way.
  const plain = JSON.parse(token) as string;
  if (names?.has(plain) === true) return 'twice';
  names?.add(plain);
  return 'colon';
}

function close(open: Level[]): Expected {
  open.pop();
  return open.length === 0 ? 'end' : 'commaOrClose';
}

function wanted(expected: Expected): string {
  return WORDS[expected];
}

const WORDS: Readonly<Record<Expected, string>> = {
  value: 'a value',
  valueOrClose: 'a value or ]',
  name: 'a name in double quotes',
  nameOrClose: 'a name in double quotes, or }',
  colon: 'a colon',
  commaOrClose: 'a comma, or the end of the list or object,',
  end: 'the end of the file',
};

function at(text: string, index: number, what: string): string {
  const before = text.slice(0, index).split('\n');
  return `${what} at line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}
