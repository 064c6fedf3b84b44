import { type FieldConfigSource, FieldType, type GrafanaTheme2 } from '@grafana/data';
import { PanelChrome } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import type { ComponentProps, ReactElement } from 'react';
import type { Mark } from './annotations.ts';
import type { PanelJson } from './dashboard.ts';
import { withDefaults } from './field-config.ts';
import { Heatmap } from './heatmap.tsx';
import { Lines } from './lines.tsx';
import { Message } from './message.tsx';
import { type Context, type PanelData, stepOf } from './panel-data.ts';
import type { PanelReport } from './report.ts';
import { States } from './states.tsx';
import { Stats } from './stats.tsx';

/** A panel with what there is to show in it: data, or why there is none. */
export interface LoadedPanel {
  readonly json: PanelJson;
  readonly data: PanelData | { readonly absent: string } | { readonly error: string };
}

export interface PanelProps {
  readonly panel: LoadedPanel;
  readonly marks: readonly Mark[];
  readonly context: Context;
  readonly width: number;
  readonly height: number;
}

/** A panel in Grafana's frame. */
export function Panel({ panel, marks, context, width, height }: PanelProps): ReactElement {
  const { title, description = '', type } = panel.json;
  return (
    <PanelChrome
      {...{ title, description, width, height }}
      padding={type === 'table' && 'frames' in panel.data ? 'none' : 'md'}
    >
      {(innerWidth: number, innerHeight: number) =>
        contentOf(panel, marks, context, { width: innerWidth, height: innerHeight })
      }
    </PanelChrome>
  );
}

/** What became of a panel. */
export function reportOf({ json: { title, type, fieldConfig }, data }: LoadedPanel): PanelReport {
  if ('absent' in data) return { title, became: 'absent', why: data.absent };
  if ('error' in data) return { title, became: 'failed', why: data.error };
  if (isEmpty(data)) return { title, became: 'empty', why: emptyText(fieldConfig) };
  return { title, became: type === 'heatmap' || type === 'state-timeline' ? 'stand-in' : 'drawn' };
}

function contentOf(
  { json: { type, options = {}, fieldConfig: source }, data }: LoadedPanel,
  marks: readonly Mark[],
  context: Context,
  size: { readonly width: number; readonly height: number },
): ReactElement {
  const { theme, span, range } = context;
  if ('absent' in data) return <Message text={`Not in this preview: ${data.absent}`} {...size} theme={theme} />;
  if ('error' in data) return <Message text={data.error} {...size} theme={theme} />;
  const { frames, exemplars, buckets } = data;
  // A stat and a table know themselves what to say then.
  if (type !== 'stat' && isEmpty(data)) return <Message text={emptyText(source)} {...size} theme={theme} />;
  switch (type) {
    case 'stat':
      return (
        <Stats
          {...{ frames, theme, ...size }}
          options={options as ComponentProps<typeof Stats>['options']}
          fieldConfig={withDefaults(type, source)}
        />
      );
    case 'timeseries':
      return (
        <Lines
          {...{ frames, range, ...size }}
          options={options as ComponentProps<typeof Lines>['options']}
          overlay={{ marks, exemplars, colour: exemplarColour(theme) }}
        />
      );
    case 'table':
      return <TableNG data={frames[0] ?? { fields: [], length: 0 }} {...size} />;
    case 'heatmap':
      if (buckets === undefined) return <Message text="No buckets" {...size} theme={theme} />;
      return <Heatmap {...{ buckets, exemplars, span, theme, ...size }} unit={source?.defaults.unit ?? 'none'} />;
    case 'state-timeline':
      return <States {...{ frames, span, theme, ...size }} step={stepOf(context, size.width)} />;
    default:
      return <Message text={`Not in this preview: panels of the type ${type}`} {...size} theme={theme} />;
  }
}

function isEmpty({ frames, buckets }: PanelData): boolean {
  if (buckets !== undefined) return buckets.times.length === 0;
  return !frames.some(({ fields }) =>
    fields.some(({ type, values }) => type !== FieldType.time && values.some(value => value !== null)),
  );
}

/** What Grafana says when there is no data. */
function emptyText(source: FieldConfigSource | undefined): string {
  return source?.defaults.noValue || 'No data';
}

function exemplarColour(theme: GrafanaTheme2): string {
  return theme.visualization.getColorByName('semi-dark-blue');
}
