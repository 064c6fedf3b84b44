import type { GrafanaTheme2 } from '@grafana/data';
import { Combobox, Icon, InlineField } from '@grafana/ui';
import type { ReactElement } from 'react';
import type { Mark } from './annotations.ts';
import type { PanelJson } from './dashboard.ts';
import { type LoadedPanel, Panel } from './panel.tsx';
import type { Context } from './panel-data.ts';
import type { Variable } from './variables.ts';

export interface PageProps {
  readonly title: string;
  readonly file: string;
  readonly panels: readonly LoadedPanel[];
  readonly marks: readonly Mark[];
  readonly context: Context;
}

/** Grafana's grid: 24 columns, and rows of 30 pixels, 8 apart. */
const COLUMNS = 24;
const ROW = 30;
const GAP = 8;
const MARGIN = 16;

/** The height of a line of panels that have nothing to show here, in rows. */
const ABSENT_HEIGHT = 3;

/** How wide a panel is on the page, in pixels. */
export function widthOf({ gridPos }: PanelJson, pageWidth: number): number {
  return Math.floor((gridPos.w * (pageWidth - 2 * MARGIN + GAP)) / COLUMNS) - GAP;
}

/** A dashboard as Grafana lays it out. */
export function Page({ title, file, panels, marks, context }: PageProps): ReactElement {
  const { theme } = context;
  const pageWidth = document.documentElement.clientWidth;
  const column = (pageWidth - 2 * MARGIN + GAP) / COLUMNS;
  const places = placesOf(panels);
  const rows = Math.max(...places.map(({ y, h }) => y + h));
  return (
    <div style={{ padding: MARGIN, background: theme.colors.background.canvas }}>
      <Header {...{ title, context }} />
      <div style={{ position: 'relative', height: rows * (ROW + GAP) }}>
        {places.map(({ panel, y, h }) => {
          const { x } = panel.json.gridPos;
          const size = { width: widthOf(panel.json, pageWidth), height: h * (ROW + GAP) - GAP };
          return (
            <div
              key={panel.json.id}
              style={{ position: 'absolute', left: Math.floor(x * column), top: y * (ROW + GAP), ...size }}
            >
              {panel.json.type === 'row' ? (
                <RowTitle title={panel.json.title} theme={theme} />
              ) : (
                <Panel {...{ panel, marks, context, ...size }} />
              )}
            </div>
          );
        })}
      </div>
      <p style={{ margin: '8px 0 0', color: theme.colors.text.secondary, fontSize: 12 }}>
        {`Rendered from dashboards/grafana/${file} with @grafana/ui ${process.env.GRAFANA_UI_VERSION} over a real Prometheus. Not a Grafana screenshot: heatmaps, state timelines, exemplars and annotations are drawn by stand-ins.`}
      </p>
    </div>
  );
}

/** Where the panels are, in rows: as in the JSON, but that a line of panels with nothing to show takes less room. */
function placesOf(panels: readonly LoadedPanel[]): { panel: LoadedPanel; y: number; h: number }[] {
  let saved = 0;
  return [...Map.groupBy(panels, ({ json }) => json.gridPos.y)]
    .sort(([a], [b]) => a - b)
    .flatMap(([top, line]) => {
      const y = top - saved;
      const height = Math.max(...line.map(({ json }) => json.gridPos.h));
      if (!line.every(({ data, json }) => 'absent' in data && json.type !== 'row')) {
        return line.map(panel => ({ panel, y, h: panel.json.gridPos.h }));
      }
      saved += height - ABSENT_HEIGHT;
      return line.map(panel => ({ panel, y, h: ABSENT_HEIGHT }));
    });
}

function Header({ title, context }: { readonly title: string; readonly context: Context }): ReactElement {
  const { range, theme, variables } = context;
  const time = (at: typeof range.from): string => at.utc().format('YYYY-MM-DD HH:mm:ss');
  return (
    <header style={{ marginBottom: GAP }}>
      <div style={{ display: 'flex', justifyContent: 'space-between', alignItems: 'center', marginBottom: GAP }}>
        <h1 style={{ ...theme.typography.h4, margin: 0 }}>{title}</h1>
        <span style={{ display: 'flex', gap: GAP, alignItems: 'center' }}>
          <Icon name="clock-nine" />
          {`${time(range.from)} to ${time(range.to)}`}
          <span style={{ color: theme.visualization.getColorByName('orange'), fontSize: 12 }}>UTC</span>
        </span>
      </div>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: GAP }}>
        {variables.map(variable => (
          <VariablePicker key={variable.name} {...variable} />
        ))}
      </div>
    </header>
  );
}

function VariablePicker({ label, shown, values = [] }: Variable): ReactElement {
  const options = [shown, ...values].map(value => ({ value, label: value }));
  return (
    <InlineField label={label} transparent={false} style={{ margin: 0 }}>
      <Combobox options={options} value={shown} onChange={() => undefined} width="auto" minWidth={10} />
    </InlineField>
  );
}

function RowTitle({ title, theme }: { readonly title: string; readonly theme: GrafanaTheme2 }): ReactElement {
  return (
    <h2 style={{ ...theme.typography.h6, display: 'flex', alignItems: 'center', gap: 4, margin: 0, height: ROW }}>
      <Icon name="angle-down" />
      {title}
    </h2>
  );
}
