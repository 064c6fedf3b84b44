import { UsageError } from '../usage-error.ts';

/** One sample of the metrics. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Reads the Prometheus text format, and OpenMetrics: samples without their times and exemplars. A family that appears
 * more than once, as several processes behind one file would have it, is read as often.
 *
 * @throws UsageError at the first line that is no part of it
 */
export function parseMetrics(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const sample = parseSample(line);
    if (sample === undefined) {
      throw new UsageError(`line ${i + 1} is not of the Prometheus text format; is it really the address of metrics?`);
    }
    samples.push(sample);
  }
  return samples;
}

const NAME = /[a-zA-Z_:][\w:]*/y;
const LABEL = /\s*([a-zA-Z_]\w*|"(?:[^"\\]|\\.)*")\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))/y;
const VALUE = /\s+([-+]?(?:Inf|NaN|\d[\d.]*(?:[eE][-+]?\d+)?|\.\d+))(?:\s|$)/iy;

function parseSample(line: string): Sample | undefined {
  const name = matchAt(NAME, line, 0);
  if (name === undefined) return undefined;
  const labels: Record<string, string> = Object.create(null);
  let at = name[0].length;
  if (line[at] === '{') {
    at++;
    for (let label = matchAt(LABEL, line, at); label !== undefined; label = matchAt(LABEL, line, at)) {
      const [whole, key = '', value = ''] = label;
      labels[key] = value.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
      at += whole.length;
    }
    if (line[at] !== '}') return undefined;
    at++;
  }
  const value = matchAt(VALUE, line, at)?.[1];
  return value === undefined ? undefined : { name: name[0], labels, value: toNumber(value) };
}

function matchAt(pattern: RegExp, line: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(line) ?? undefined;
}

function toNumber(text: string): number {
  if (/inf$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return Number(text);
}
