const UNITS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/**
 * Seconds of a duration as Prometheus writes them, such as `90s`, `5m` or `1h30m`, the larger units first; NaN for
 * anything else.
 */
export function seconds(text: string): number {
  if (!/^(?=.)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/.test(text)) return Number.NaN;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdw])/g)) {
    sum += Number(count) * UNITS[unit as keyof typeof UNITS];
  }
  return sum;
}

/** A duration divided by `scale`, as Prometheus writes it; at least a millisecond. */
export function scaled(text: string, scale: number): string {
  if (scale === 1) return text;
  const ms = Math.max(1, Math.round((seconds(text) * 1000) / scale));
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
