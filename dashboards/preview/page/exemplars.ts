import type uPlot from 'uplot';
import type { Exemplar, Span } from './prometheus.ts';

/** Grafana takes a choice for each of its steps, which are of seconds here: the graphs would be full of dots. */
const COLUMNS = 30;

/**
 * A choice of the exemplars by Grafana's rule: of each stretch of time the highest, and below it only those that are
 * two standard deviations apart. Stretches are wider than Grafana's, so that the lines below are still seen.
 */
export function chosen(exemplars: readonly Exemplar[], { from, to }: Span): Exemplar[] {
  const apart = 2 * deviation(exemplars.map(({ value }) => value));
  const width = ((to - from) * 1000) / COLUMNS;
  const stretches = Map.groupBy(exemplars, ({ time }) => Math.floor(time / width));
  return [...stretches.values()].flatMap(stretch => {
    const kept: Exemplar[] = [];
    for (const exemplar of stretch.toSorted((a, b) => b.value - a.value)) {
      const last = kept.at(-1);
      if (last === undefined || last.value - exemplar.value > apart) kept.push(exemplar);
    }
    return kept;
  });
}

const DIAMOND = 4;

/** Draws what an exemplar is shown by, with its middle at this place of the canvas. */
export function drawDiamond({ ctx }: uPlot, x: number, y: number): void {
  ctx.beginPath();
  ctx.moveTo(x, y - DIAMOND);
  ctx.lineTo(x + DIAMOND, y);
  ctx.lineTo(x, y + DIAMOND);
  ctx.lineTo(x - DIAMOND, y);
  ctx.fill();
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
