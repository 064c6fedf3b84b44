/**
 * True for a statement that surely only reads, and so may be sent again whatever became of the first one: one SELECT,
 * VALUES, TABLE, SHOW or EXPLAIN, or a WITH of those, that calls no function but some well-known ones. Any other
 * function may write, and so may a part of WITH. In doubt it answers no. What it cannot see are functions behind a view,
 * an operator or a cast.
 */
export function isPlainRead(text: string): boolean {
  const bare = bareStatement(text);
  if (bare === undefined || bare.includes(';')) return false;
  if (!/^\s*\(*\s*(select|values|table|show|with|explain|describe|desc)\b/i.test(bare)) return false;
  if (WRITES.test(bare)) return false;
  return [...bare.matchAll(CALLS)].every(([, dot, name = '']) => dot === undefined && HARMLESS.has(name.toLowerCase()));
}

/** True for a statement of which a part may last although another part failed: several in one text, or a procedure. */
export function mayLastInPart(text: string): boolean {
  const bare = bareStatement(text) ?? withoutEnd(text.replace(/^(\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/, ''));
  return bare.includes(';') || /^\s*(call|do|exec|execute)\b/i.test(bare);
}

/** The longest text that is looked at; nobody writes such a one by hand. */
const LONGEST = 100_000;

/**
 * The statement without literals, quoted names, comments and a last semicolon. Undefined for what is read differently by
 * different servers: backslashes, dollar quotes, comments that MySQL runs.
 */
function bareStatement(text: string): string | undefined {
  if (text.length > LONGEST || /[\\#]|\/\*[!+M]|\$[A-Za-z_]*\$/.test(text)) return undefined;
  const bare = text.replace(QUOTED, piece => (/^["`]/.test(piece) ? ' quoted_name ' : ' '));
  // What opens and does not close again is not understood; two dashes without a space are no comment to MySQL.
  return /['"`]|\/\*|\*\/|--|[^\t\n\r -~]/.test(bare) ? undefined : withoutEnd(bare);
}

/** Without the semicolons and spaces at its end. */
function withoutEnd(text: string): string {
  let end = text.length;
  while (end > 0 && /[;\s]/.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** Literals, quoted names and comments, whichever begins first. */
const QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--(?=\s|$)[^\n\r]*|\/\*(?:(?!\*\/|\/\*)[\s\S])*\*\//g;

const WRITES =
  /\b(insert|update|delete|merge|replace|upsert|truncate|into|call|exec|execute|do|copy|load|handler|lock|analyze|analyse|create|alter|drop|grant|revoke|set|reset|vacuum|refresh|import|next\s+value|nextval)\b|:=/i;

/** A word before a parenthesis, a function or a keyword; behind a dot it is the function of a schema. */
const CALLS = /(\.\s*)?(?<![\w$])([\w$]+)\s*\(/g;

const HARMLESS: ReadonlySet<string> = new Set(
  `select from where and or not in as on using over filter within group by having exists any all some values join
  lateral union except intersect distinct then when else case between like ilike is limit offset with materialized
  recursive array row cast numeric decimal varchar char character varying bit time timestamp interval precision
  count sum min max avg coalesce nullif greatest least abs ceil ceiling floor round trunc mod power sqrt
  lower upper length char_length octet_length trim ltrim rtrim btrim substring position left right concat concat_ws
  date_trunc date_part extract to_char to_date to_timestamp age now date year month day
  array_agg string_agg json_agg jsonb_agg json_build_object jsonb_build_object json_object_agg jsonb_object_agg
  row_to_json to_json to_jsonb json_build_array jsonb_build_array group_concat json_object json_arrayagg json_objectagg
  bool_and bool_or every row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value
  unnest generate_series cardinality array_length ifnull if version explain current_setting`.split(/\s+/),
);
