/** A duration such as `90s`, `15m`, `2h`, `7d` or `2w`, in milliseconds; undefined when it is none. */
export function readDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d|w)$/.exec(text.trim()) ?? [];
  const factor = UNITS[unit ?? ''];
  return factor === undefined ? undefined : Number(amount) * factor;
}

/** How long something has lasted, for people: its largest unit that is not 0, and two of them where one says too little. */
export function sayDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
