import { formattedValueToString, type GrafanaTheme2, getValueFormat } from '@grafana/data';
import { interpolateOranges } from 'd3-scale-chromatic';
import type { ReactElement } from 'react';
import type { Buckets } from './buckets.ts';
import { type Cell, Cells } from './cells.tsx';
import { drawDiamond } from './exemplars.ts';
import type { Exemplar, Span } from './prometheus.ts';

export interface HeatmapProps {
  readonly buckets: Buckets;
  readonly exemplars: readonly Exemplar[];
  readonly unit: string;
  readonly span: Span;
  readonly width: number;
  readonly height: number;
  readonly theme: GrafanaTheme2;
}

/** Room for the scale of colours. */
const SCALE_HEIGHT = 32;
/** Pixels that a label needs. */
const LABEL_HEIGHT = 18;
/** Grafana's exponent: small counts are to be seen beside large ones. */
const EXPONENT = 0.5;

/** A heatmap in Grafana's colours, drawn by `Cells`. */
export function Heatmap({ buckets, exemplars, unit, span, width, height, theme }: HeatmapProps): ReactElement {
  const { ends, counts, times, step } = buckets;
  const most = Math.max(...counts.flat(), 0);
  const colour = (count: number): string => {
    const strength = (count / most) ** EXPONENT;
    return interpolateOranges(theme.isDark ? 1 - strength : strength);
  };
  const cells = counts.flatMap((row, i): Cell[] =>
    row.flatMap((count, j) => {
      const from = times[j] ?? 0;
      // A little is nothing: what rates leave behind of a count is not seen in Grafana either.
      return count > most / 1e4 ? [{ row: i, from, to: from + step, colour: colour(count) }] : [];
    }),
  );
  const every = Math.ceil((ends.length * LABEL_HEIGHT) / Math.max(1, height - SCALE_HEIGHT - LABEL_HEIGHT));
  const format = getValueFormat(unit);
  const text = (end: number): string => (Number.isFinite(end) ? formattedValueToString(format(end)) : '+Inf');
  const labels = ends.map((end, i) => ({ at: i + 1, text: text(end) })).filter((_, i) => (i + 1) % every === 0);
  const gradient = Array.from({ length: 11 }, (_, i) => colour((most * i) / 10)).join(', ');
  return (
    <div>
      <Cells
        {...{ cells, labels, span, width, theme }}
        rows={ends.length}
        gap={1}
        height={height - SCALE_HEIGHT}
        over={plot => {
          plot.ctx.fillStyle = 'rgba(255,0,255,0.7)';
          for (const { time, value } of exemplars) {
            const row = ends.findIndex(end => value <= end);
            drawDiamond(plot, plot.valToPos(time, 'x', true), plot.valToPos(row + 0.5, 'y', true));
          }
        }}
      />
      <div style={{ display: 'flex', gap: 8, alignItems: 'center', paddingLeft: 48, fontSize: 12 }}>
        <span>0</span>
        <div style={{ width: 160, height: 8, borderRadius: 2, background: `linear-gradient(to right, ${gradient})` }} />
        <span>{`${most.toPrecision(2)} a second`}</span>
      </div>
    </div>
  );
}
