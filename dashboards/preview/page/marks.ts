import type { UPlotConfigBuilder } from '@grafana/ui';
import type uPlot from 'uplot';
import type { Mark } from './annotations.ts';
import { drawDiamond } from './exemplars.ts';
import type { Exemplar } from './prometheus.ts';

/** What is drawn over a graph. Grafana has plugins for it that are not on npm; these are small stand-ins. */
export interface Overlay {
  readonly marks: readonly Mark[];
  readonly exemplars: readonly Exemplar[];
  /** The colour of exemplars. */
  readonly colour: string;
}

/** Builders that have their marks: a component may be rendered more than once. */
const marked = new WeakSet<UPlotConfigBuilder>();

/** Marks annotations by a dashed line and a bar on the axis, and exemplars by a diamond. */
export function drawOver(builder: UPlotConfigBuilder, { marks, exemplars, colour }: Overlay): void {
  if (marked.has(builder)) return;
  marked.add(builder);
  builder.addHook('draw', plot => {
    const [, scale] = builder.scaleKeys;
    plot.ctx.save();
    for (const mark of marks) drawMark(plot, mark);
    plot.ctx.fillStyle = colour;
    for (const [x, y] of places(plot, exemplars, scale)) drawDiamond(plot, x, y);
    plot.ctx.restore();
  });
}

function drawMark(plot: uPlot, { from, to, colour }: Mark): void {
  const { ctx, bbox } = plot;
  const position = (time: number): number =>
    Math.min(bbox.left + bbox.width, Math.max(bbox.left, plot.valToPos(time, 'x', true)));
  const [left, right] = [position(from), position(to)];
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.globalAlpha = 0.5;
  ctx.setLineDash([4, 4]);
  ctx.beginPath();
  ctx.moveTo(left, bbox.top);
  ctx.lineTo(left, bbox.top + bbox.height);
  ctx.stroke();
  ctx.globalAlpha = 1;
  ctx.fillRect(left, bbox.top + bbox.height, Math.max(2, right - left), 3);
}

/** Where the exemplars stand. Grafana puts those that are off the scale on its edge, and so does this. */
function places(plot: uPlot, exemplars: readonly Exemplar[], scale: string): [number, number][] {
  const { left, top, width, height } = plot.bbox;
  return exemplars.flatMap(({ time, value }): [number, number][] => {
    const x = plot.valToPos(time, 'x', true);
    const y = plot.valToPos(value, scale, true);
    if (x < left || x > left + width || !Number.isFinite(y)) return [];
    return [[x, Math.min(top + height, Math.max(top, y))]];
  });
}
