/**
 * The name in a text that may tell what stands beside it, such as `X-Api-Key`, `user[password]` or `--token`. Undefined for
 * all but a few words: in the letters and digits of an identifier any short word comes up by chance.
 */
export function nameIn(text: string): string | undefined {
  return text.length <= LONGEST_NAME && NAME.test(text) ? text.replace(MARKS, '') : undefined;
}

/** The same for a field that holds a name and nothing else, where it may be a label, such as `API key`. */
export function labelIn(text: string): string | undefined {
  if (text.length > LONGEST_NAME) return undefined;
  const words = text.trim().split(/\s+/);
  return words.length <= MOST_WORDS ? nameIn(words.join('_')) : undefined;
}

/** What a key says of what stands behind it. */
export interface KeyRole {
  /** A name, as the first one in `{ name: 'password', value: 'x' }`. */
  readonly isName: boolean;
  /** A value whose name is told beside it. */
  readonly isValue: boolean;
  /** A number in it is that of a card; the identifier of a card is none. */
  readonly isCard: boolean;
  /** The number of what it stands in, as in `{ card: { number: 4111 } }`. */
  readonly isNumber: boolean;
}

export function roleOf(key: string): KeyRole {
  const words = wordsOf(key);
  return {
    isName: NAME_KEY.test(words),
    isValue: VALUE_KEY.test(words),
    isCard: CARD.test(words) && !CARD_ID.test(words),
    isNumber: NUMBER.test(words),
  };
}

const LONGEST_NAME = 64;
/** A sentence is no label. */
const MOST_WORDS = 3;
/** Words in capitals, in small letters or in camelCase, of two letters at least, but for an X- in front. */
const WORD = '(?:[A-Z]*[a-z]+|[A-Z]+)(?:\\d{1,2})?(?:[A-Z][a-z]+|[A-Z]{2,4}(?![a-z])){0,3}(?:\\d{1,2})?';
const NAME = new RegExp(`^(?:--?|[$:@])?${WORD}(?:[-_.:/[\\]]${WORD}){0,7}[\\]:]?$`);
const MARKS = /^[-$:@]+|[\]:]$/g;

const NAME_KEY =
  /(?:^|_)(?:name|key|header|field|param(?:eter)?|prop(?:erty)?|attr(?:ibute)?|var(?:iable)?|setting|option|label|type|id|k|n)$/;
const VALUE_KEY = /(?:^|_)(?:values?|val|v)$/;

const CARD =
  /(?:^|_)(?:cards?|cc|pan)\d*(?:_|$)|(?:credit|debit|payment|bank|gift)cards?|(?:card|cc)(?:numbers?|num|no|nr|pan)\d*$|primary_?account_?number/;
const CARD_ID = /(?:_|card|cc)ids?$/;
const NUMBER = /^(?:full_?)?(?:number|num|no|nr|value|digits)$/;

function wordsOf(key: string): string {
  if (/^[a-z\d_]*$/.test(key)) return key;
  return key
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '_');
}
