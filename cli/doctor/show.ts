import Table from 'cli-table3';
import { printable } from '../printable.ts';
import type { Colors } from '../terminal.ts';
import { type Finding, SEVERITIES, type Severity } from './finding.ts';
import { wrapped } from './wrapped.ts';

/** Findings for people, in a table of at most `columns`, and a sentence that sums them up. */
export function asTable(
  sources: readonly string[],
  findings: readonly Finding[],
  columns: number,
  colors: Colors,
): string {
  const from = `From ${sources.map(printable).join(' and ')}`;
  if (findings.length === 0) return `${from}\n${colors.green('✓')} Nothing dangerous was found.\n`;
  const width = Math.min(WIDEST, Math.max(NARROWEST, columns)) - BORDERS - SEVERITY_WIDTH - CODE_WIDTH;
  const table = new Table({
    colWidths: [SEVERITY_WIDTH, CODE_WIDTH, width],
    style: { head: [], border: [] },
  });
  const cellWidth = width - PADDING;
  for (const group of alike(findings)) {
    const [{ severity, code, why, fix }] = group;
    table.push([
      PAINT[severity](colors)(`${MARKS[severity]} ${severity}`),
      lines(code, CODE_WIDTH - PADDING).join('\n'),
      [
        ...group.flatMap(({ where, what }) => lines(`${where}: ${what}`, cellWidth, colors.bold)),
        ...lines(why, cellWidth),
        ...lines(`→ ${fix}`, cellWidth),
      ].join('\n'),
    ]);
  }
  return `${from}\n${table.toString()}\n${summary(findings)}\n`;
}

/** Findings for programs. */
export function asJson(sources: Readonly<Record<string, string | null>>, findings: readonly Finding[]): string {
  return `${JSON.stringify({ ...sources, counts: counts(findings), findings }, undefined, 2)}\n`;
}

const WIDEST = 100;
const NARROWEST = 60;
const BORDERS = 4;
const PADDING = 2;
const SEVERITY_WIDTH = 11;
/** The longest code, and its padding. */
const CODE_WIDTH = 24;

type Group = readonly [Finding, ...Finding[]];

/** Findings that are alike but for their place, together. */
function alike(findings: readonly Finding[]): Group[] {
  return [
    ...Map.groupBy(findings, ({ severity, code, fix }) => `${severity} ${code} ${fix}`).values(),
  ] as unknown as Group[];
}

const MARKS: Readonly<Record<Severity, string>> = { error: '✗', warning: '!', info: 'i' };
const PAINT: Readonly<Record<Severity, (colors: Colors) => (text: string) => string>> = {
  error: ({ red }) => red,
  warning: ({ yellow }) => yellow,
  info: ({ cyan }) => cyan,
};

function lines(text: string, width: number, paint: (text: string) => string = each => each): string[] {
  return wrapped(printable(text), width).map(line => paint(line));
}

function counts(findings: readonly Finding[]): Record<Severity, number> {
  const of = (severity: Severity): number => findings.filter(each => each.severity === severity).length;
  return { error: of('error'), warning: of('warning'), info: of('info') };
}

function summary(findings: readonly Finding[]): string {
  const found = counts(findings);
  const parts = SEVERITIES.filter(severity => found[severity] > 0).map(severity => {
    const plural = severity !== 'info' && found[severity] > 1 ? 's' : '';
    return `${found[severity]} ${severity}${plural}`;
  });
  return `${parts.join(', ')}.`;
}
