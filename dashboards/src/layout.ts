import { type Panel, RowBuilder, type RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import { panel } from './panel.ts';
import type { PanelSpec } from './panel-spec.ts';

/** A row of a dashboard: its title, and its panels from left to right. */
export interface Row {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}

/** Columns that a dashboard has. */
export const COLUMNS = 24;

/** Places the panels of all rows: from left to right, and on to the next line where one is full. */
export function layOut(rows: readonly Row[]): (Panel | RowPanel)[] {
  const placed: (Panel | RowPanel)[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    placed.push(
      new RowBuilder(title)
        .id(placed.length + 1)
        .gridPos({ x: 0, y, w: COLUMNS, h: 1 })
        .build(),
    );
    y += 1;
    for (const line of linesOf(panels)) {
      const h = Math.max(...line.map(heightOf));
      let x = 0;
      for (const spec of line) {
        placed.push(panel(spec, placed.length + 1, { x, y, w: spec.width, h }));
        x += spec.width;
      }
      y += h;
    }
  }
  return placed;
}

function linesOf(panels: readonly PanelSpec[]): PanelSpec[][] {
  const lines: PanelSpec[][] = [];
  let room = 0;
  for (const spec of panels) {
    if (spec.width > room) {
      lines.push([]);
      room = COLUMNS;
    }
    lines.at(-1)?.push(spec);
    room -= spec.width;
  }
  return lines;
}

function heightOf({ kind }: PanelSpec): number {
  return kind === 'stat' ? 4 : 9;
}
