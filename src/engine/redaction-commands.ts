import { closingQuote, type FindValue, findValue, hideValues } from './redaction-values.ts';
import { isSecretName } from './secret-names.ts';

/** Hides the values of flags in the command lines that child processes fail with. Takes time linear in the text. */
export function hideCommands(text: string): string {
  if (!DASH.test(text)) return text;
  const flagged = hideValues(hideValues(text, FLAG, isSecretName), LOGIN, always, findPassword);
  return COMMAND.test(flagged) ? hideValues(hideValues(flagged, ATTACHED, always), DETACHED, always) : flagged;
}

const DASH = /(?<![^\s"'`])-/;
const FLAG = /(?<!\S)--?([a-z][\w-]{0,63})\s{1,4}(?=\S)/gi;

/** `-u user:password` of curl, alone or as one in a list of arguments; two numbers are a user and a group. */
const LOGIN =
  /(?<![^\s"'`])-{1,2}(u|user|proxy-user)(?:["'`]?[\s,=]{1,4}|(?<=-u))(\\{0,7}["'`])?(?!\d{1,10}:\d{1,10}(?![^\s"'`]))[^\s:"'`/]{1,128}:(?!\/\/)(?=[^\s"'`])/g;

const findPassword: FindValue = (text, start, found) => {
  const quote = found[2];
  return quote === undefined ? findValue(text, start, found) : { start, end: closingQuote(text, start, quote) };
};

/** Most commands mean something else by -p: these are known by their name, in front of it and in the same line. */
const COMMAND = /\b(?:mysql|mariadb|sshpass|(?:docker|podman) login|redis-cli)/;
const ATTACHED = /[\s"'`]-p(?<=\b(mysql|mariadb|sshpass)[^\r\n;|&]{0,256})(?=[^\s"'`,\]]|["'`][^\s,\]])/g;
const DETACHED =
  /[\s"'`]-[pa]["'`]?[\s,]{1,4}(?<=\b(?:(sshpass|(?:docker|podman) login)[^\r\n;|&]{0,256}-p|redis-cli[^\r\n;|&]{0,256}-a)["'`]?[\s,]{1,4})(?=[^\s-])/g;

const always = (): boolean => true;
