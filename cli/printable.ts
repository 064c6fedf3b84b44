/** A text with nothing in it that could steer a terminal, for what comes from a file or a file's name. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, character => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
