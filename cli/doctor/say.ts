/** Milliseconds as people read them. */
export function duration(ms: number): string {
  if (ms === Infinity) return 'without end';
  if (ms < 1000) return `${number(ms)} ms`;
  if (ms < 120_000) return `${number(ms / 1000)} s`;
  if (ms < 7_200_000) return `${number(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${number(ms / 3_600_000)} h`;
  return `${number(ms / 86_400_000)} days`;
}

/** A number as people read it: an integer in full, a fraction with three digits that count. */
export function number(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}

/** Names in a row: `a, b and c`, and how many more there are. */
export function list(names: readonly string[], most = 3): string {
  const shown = names.length <= most ? names : [...names.slice(0, most), `${names.length - most} more`];
  return shown.length <= 1 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** `1 operation`, `2 operations`. */
export function count(amount: number, what: string): string {
  return `${number(amount)} ${what}${amount === 1 ? '' : 's'}`;
}

/** The text with a capital letter in front. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
