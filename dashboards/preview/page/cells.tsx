import { FieldColorModeId, fieldColorModeRegistry, type GrafanaTheme2 } from '@grafana/data';
import {
  AxisPlacement,
  DrawStyle,
  measureText,
  ScaleDirection,
  ScaleOrientation,
  UPLOT_AXIS_FONT_SIZE,
  UPlotChart,
  UPlotConfigBuilder,
} from '@grafana/ui';
import { type ReactElement, useMemo } from 'react';
import type uPlot from 'uplot';
import type { Span } from './prometheus.ts';

/** A stretch of a row, in seconds since 1970, with its colour and what is written in it. */
export interface Cell {
  readonly row: number;
  readonly from: number;
  readonly to: number;
  readonly colour: string;
  readonly text?: string;
}

export interface CellsProps {
  readonly cells: readonly Cell[];
  readonly rows: number;
  /** What is written beside the rows, and at which height: 1.5 is in the middle of the second row from below. */
  readonly labels: readonly { readonly at: number; readonly text: string }[];
  /** Pixels between cells. */
  readonly gap: number;
  readonly span: Span;
  readonly width: number;
  readonly height: number;
  readonly theme: GrafanaTheme2;
  /** Draws over the cells. */
  readonly over?: (plot: uPlot) => void;
}

/**
 * A stand-in for Grafana's heatmap and state timeline, which are not on npm: cells between Grafana's axes, so that both
 * look as the graphs beside them do.
 */
export function Cells(props: CellsProps): ReactElement {
  const config = useMemo(() => configFor(props), [props]);
  const { span, width, height } = props;
  return <UPlotChart config={config} data={[milliseconds(span), [null, null]]} width={width} height={height} />;
}

function configFor({ cells, rows, labels, gap, span, theme, over }: CellsProps): UPlotConfigBuilder {
  const builder = new UPlotConfigBuilder('utc');
  builder.addScale({
    scaleKey: 'x',
    isTime: true,
    orientation: ScaleOrientation.Horizontal,
    direction: ScaleDirection.Right,
    range: () => milliseconds(span),
  });
  builder.addScale({
    scaleKey: 'y',
    orientation: ScaleOrientation.Vertical,
    direction: ScaleDirection.Up,
    range: () => [0, rows],
  });
  builder.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone: 'utc', theme });
  builder.addAxis({
    scaleKey: 'y',
    placement: AxisPlacement.Left,
    theme,
    size: Math.max(...labels.map(({ text }) => measureText(text, UPLOT_AXIS_FONT_SIZE).width), 0) + AXIS_PADDING,
    grid: { show: false },
    splits: labels.map(({ at }) => at),
    values: labels.map(({ text }) => text),
  });
  builder.addSeries({
    scaleKey: 'y',
    theme,
    colorMode: fieldColorModeRegistry.get(FieldColorModeId.Fixed),
    drawStyle: DrawStyle.Line,
    pathBuilder: () => null,
    pointsBuilder: () => undefined,
  });
  builder.addHook('draw', plot => {
    plot.ctx.save();
    plot.ctx.beginPath();
    plot.ctx.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
    plot.ctx.clip();
    for (const cell of cells) drawCell(plot, cell, gap, theme);
    over?.(plot);
    plot.ctx.restore();
  });
  return builder;
}

/** Pixels between the labels and what is around them. */
const AXIS_PADDING = 20;

function drawCell(plot: uPlot, { row, from, to, colour, text }: Cell, gap: number, theme: GrafanaTheme2): void {
  const left = plot.valToPos(from * 1000, 'x', true);
  const right = plot.valToPos(to * 1000, 'x', true);
  const [top, bottom] = [plot.valToPos(row + 1, 'y', true), plot.valToPos(row, 'y', true)];
  // A gap between cells of two pixels would be half of what is seen.
  const width = Math.max(1, right - left - (right - left > 4 * gap ? gap : 0));
  plot.ctx.fillStyle = colour;
  plot.ctx.fillRect(left, top + gap, width, bottom - top - 2 * gap);
  if (text === undefined) return;
  plot.ctx.font = `${UPLOT_AXIS_FONT_SIZE}px ${theme.typography.fontFamily}`;
  plot.ctx.textAlign = 'left';
  plot.ctx.textBaseline = 'middle';
  plot.ctx.fillStyle = theme.colors.getContrastText(colour, theme.colors.contrastThreshold);
  const visible = Math.max(left, plot.bbox.left) + 6;
  if (plot.ctx.measureText(text).width < left + width - visible) plot.ctx.fillText(text, visible, (top + bottom) / 2);
}

function milliseconds({ from, to }: Span): [number, number] {
  return [from * 1000, to * 1000];
}
