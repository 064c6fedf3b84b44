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
    let x = 0;
    let height = 0;
    for (const spec of panels) {
      if (x + spec.width > COLUMNS) [x, y, height] = [0, y + height, 0];
      const h = heightOf(spec);
      placed.push(panel(spec, placed.length + 1, { x, y, w: spec.width, h }));
      x += spec.width;
      height = Math.max(height, h);
    }
    y += height;
  }
  return placed;
}

function heightOf({ kind }: PanelSpec): number {
  return kind === 'stat' ? 4 : 9;
}
