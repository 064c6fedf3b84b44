/** One JSON document, with nothing in it that could steer a terminal: what no eye can see is written as an escape. */
export function asJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, each: unknown) => (each === undefined ? null : each), 2);
  return `${text.replace(/(?!\n)\p{C}/gu, escaped)}\n`;
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('');
}
