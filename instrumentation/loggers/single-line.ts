/**
 * The text with its control characters written out: not every log format does it, and a line break in an error's
 * message would let it forge a line, an escape sequence let it repaint a terminal.
 */
export function singleLine(text: string): string {
  return text.replace(CONTROL, character => {
    const code = character.charCodeAt(0);
    return NAMED[character] ?? `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
