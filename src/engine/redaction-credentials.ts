import { HIDDEN } from './redaction-rules.ts';

/** Hides PEM blocks, and credentials in URLs and data source names. Takes time linear in the text. */
export function hideCredentials(text: string): string {
  const clean = text.replace(PEM, HIDDEN);
  return clean.includes('@') ? hidePasswords(hideLogins(clean).replace(USER, `//${HIDDEN}@`)) : clean;
}

const PEM = /-----BEGIN [A-Z\d ]{1,40}-----[\s\S]*?(?:-----END [A-Z\d ]{1,40}-----|$)/g;
/** //user:password@host, up to the last @ in front of the path. */
const USER = /\/\/[^\s/?#"'<>]+@/g;

/** `//user:password@host` with a slash in the password, which the next pattern would take for a path. */
function hideLogins(text: string): string {
  let clean = '';
  let done = 0;
  let at = 0;
  let blank = 0;
  LOGIN.lastIndex = 0;
  for (let found = LOGIN.exec(text); found !== null; found = LOGIN.exec(text)) {
    const start = LOGIN.lastIndex;
    if (at <= start) at = text.indexOf('@', start + 1);
    if (at < 0) break;
    if (at > start + LONGEST_PASSWORD) continue;
    if (blank < start) blank = nextBlank(text, start);
    if (at > blank) continue;
    // A password may hold an @ itself: it ends at the last one.
    const end = text.lastIndexOf('@', Math.min(start + LONGEST_PASSWORD, blank));
    clean += `${text.slice(done, found.index)}//${HIDDEN}`;
    done = end;
    LOGIN.lastIndex = end;
  }
  return clean + text.slice(done);
}

/** `user:password@tcp(host)`, without a scheme. */
function hidePasswords(text: string): string {
  let clean = '';
  let done = 0;
  for (const found of text.matchAll(PASSWORD)) {
    clean += text.slice(done, found.index - (found[1] as string).length) + HIDDEN;
    done = found.index;
  }
  return clean + text.slice(done);
}

/** The digits spare https://host:8080/@scope */
const LOGIN = /\/\/[^\s/?#@:"'<>]{0,256}:(?!\d{1,5}[/?#])/g;
const LONGEST_PASSWORD = 512;
const BLANK = /[\s"'<>]/g;

/** It looks back from each @, no further than to the one before: looking ahead from each colon would see a place many times. */
const PASSWORD = /@(?<=\w:([^\s@/:\\"'<>[][^\s@/\\"'<>]{0,127})@)/g;

function nextBlank(text: string, start: number): number {
  BLANK.lastIndex = start;
  return BLANK.exec(text)?.index ?? text.length;
}
