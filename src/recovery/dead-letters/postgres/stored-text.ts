/**
 * A name as a column of text can hold it: PostgreSQL has no null character and no half of a surrogate pair. Those are
 * written as `\uXXXX`, and the backslash twice, so that different names stay different.
 */
export function toStoredText(text: string): string {
  return text.replace(UNSTORABLE, found =>
    found === '\\' ? '\\\\' : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The name that {@link toStoredText} has written. */
export function fromStoredText(text: string): string {
  return text.replace(/\\(?:\\|u([\da-f]{4}))/g, (_, code: string | undefined) =>
    code === undefined ? '\\' : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

const UNSTORABLE = /[\\\0]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
