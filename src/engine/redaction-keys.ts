import { hideCommands } from './redaction-commands.ts';
import { hideMarkup } from './redaction-markup.ts';
import { hideValues } from './redaction-values.ts';
import { isSecretName } from './secret-names.ts';

/**
 * Hides the values of keys, headers, elements and flags that are named like secrets, as in `key=value`,
 * `"key": "value"` and `<key>value</key>`.
 */
export function hideNamed(text: string, isSecret: (name: string) => boolean): string {
  const isKnown = (name: string): boolean => isSecret(name) || isSecretName(name);
  const isNamed = remembering(name => (BRACKET.test(name) ? name.split(BRACKET).some(isKnown) : isKnown(name)));
  const keyed = hideCommands(hideValues(hideMarkup(text, isNamed), KEYED, isNamed));
  const phrased = QUOTE.test(keyed) ? hideValues(keyed, PHRASE, always) : keyed;
  return SECOND_WORD.test(phrased) ? hideValues(phrased, SPACED, always) : phrased;
}

/**
 * A name behind // or credentials is a host, and what follows its colon a port. Brackets are those of a form
 * (`user[password]=`, `password[]=`); with a colon they would begin a line of a log: `jobs[auth]: started`.
 */
const KEYED =
  /(?<![\w.$-](?<!%[\da-f]{2})|\/\/|\]@|%(?=[\da-f]{2}))([\w.$-]{1,128}(?![\w.$-])(?:(?:(?:\[|%5b)[\w.$"'-]{0,64}(?:\]|%5d)){1,4}(?=\s*(?:=|%3d)))?)(?:\\{0,7}["'`]|%(?:25){0,3}2[27])?(?:\s*(?:=>|:=|={1,3}|:|%(?:25){0,3}3[ad])\s*|\s*,\s*(?=\\{0,7}["'`]))/gi;

const QUOTE = /["'`]/;
const PHRASE = /\b(password|passwd|passphrase|passcode|pwd|identified by)\s{1,4}(?=["'`])/gi;

/** Names with a space. What stands behind their colon may be a reason instead. */
const SPACED =
  /\b((?:api|access|private|account|shared|signing|encryption|subscription|license|master|auth|ssh|storage|service|client|secret)\s{1,4}key|pass\s{1,4}(?:phrase|word|code)|connection\s{1,4}string)(?:\s{1,4}(?:provided|given|supplied|used))?(?:\s{1,4}(?=["'`])|(?:\\{0,7}["'`])?\s*(?:=>|:=|[:=])\s*(?=\S)(?!(?:error|enoent|eacces|invalid|missing|unsupported|unknown|unable|must|should|not|no|is|was|cannot|could|failed|expected|expired|required|too|the|this|undefined|null)(?![\w~+/=-]|\.\w)))/gi;
const SECOND_WORD = /\s(?:key|phrase|word|code|string)/i;

const BRACKET = /[[\]]|%5[bd]/i;

const always = (): boolean => true;

/** A text says the same names over and over. What is remembered goes with the call: a name may hold on to all of its text. */
function remembering(isSecret: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return name => {
    const seen = known.get(name);
    if (seen !== undefined) return seen;
    const answer = isSecret(name);
    known.set(name, answer);
    return answer;
  };
}
