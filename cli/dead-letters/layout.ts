import Table from 'cli-table3';
import { printable } from '../printable.ts';
import { columns } from '../terminal.ts';

/** The width of a table: that of the terminal, within what people can read. */
export function tableWidth(): number {
  return Math.min(WIDEST, Math.max(NARROWEST, columns()));
}

/**
 * A table of the given widths; a column of `undefined` takes what is left. Its cells are printable texts of one or more
 * lines, and what is too long ends in an ellipsis. Rows are apart where one has several lines and there is a head.
 */
export function tableOf(
  head: readonly string[],
  widths: readonly (number | undefined)[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const taken = widths.reduce<number>((sum, width) => sum + (width ?? 0), widths.length + 1);
  const open = widths.filter(width => width === undefined).length;
  const rest = Math.max(LEAST_COLUMN, Math.floor((tableWidth() - taken) / Math.max(1, open)));
  const table = new Table({
    ...(head.length === 0 ? undefined : { head: [...head] }),
    colWidths: widths.map(width => width ?? rest),
    colAligns: widths.map((_, i) => (right.includes(i) ? 'right' : 'left')),
    style: {
      head: [],
      border: [],
      compact: head.length === 0 || rows.every(row => row.every(cell => !cell.includes('\n'))),
    },
  });
  table.push(...rows.map(row => [...row]));
  return table.toString();
}

/** A number for people. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A number of things: `1 letter`, `1,200 letters`. */
export function counted(value: number, one: string): string {
  return `${count(value)} ${one}${value === 1 ? '' : 's'}`;
}

/** A size for people. */
export function sayBytes(bytes: number): string {
  const unit = UNITS.findLast(({ size }) => bytes >= size) ?? { size: 1, name: 'B' };
  const value = bytes / unit.size;
  return `${value >= 100 || unit.size === 1 ? Math.round(value) : value.toFixed(1)} ${unit.name}`;
}

/** A time for people, in UTC as in logs. */
export function sayTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString().replace('T', ' ').replace(/Z$/, ' UTC');
}

/** What came from a store, on one line. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s*\n\s*/g, ' '));
}

const WIDEST = 100;
const NARROWEST = 72;
const LEAST_COLUMN = 12;
const UNITS = [
  { size: 2 ** 10, name: 'KiB' },
  { size: 2 ** 20, name: 'MiB' },
  { size: 2 ** 30, name: 'GiB' },
];
