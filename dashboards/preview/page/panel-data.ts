import {
  type DataFrame,
  dateTime,
  type GrafanaTheme2,
  rangeUtil,
  type TimeRange,
  transformDataFrame,
} from '@grafana/data';
import { firstValueFrom } from 'rxjs';
import { type Buckets, bucketsOf } from './buckets.ts';
import type { PanelJson, TargetJson } from './dashboard.ts';
import { chosen } from './exemplars.ts';
import { configure } from './field-config.ts';
import { frameOf, tableOf } from './frames.ts';
import type { Exemplar, Prometheus, Span } from './prometheus.ts';
import { fillIn, type Variable } from './variables.ts';

/** What all panels of a page have in common. */
export interface Context {
  readonly prometheus: Prometheus;
  readonly span: Span;
  readonly range: TimeRange;
  readonly scrapeSeconds: number;
  readonly variables: readonly Variable[];
  readonly theme: GrafanaTheme2;
}

/** What a panel shows. */
export interface PanelData {
  readonly frames: DataFrame[];
  readonly exemplars: readonly Exemplar[];
  readonly buckets?: Buckets;
}

/** Asks the queries of a panel and makes of the answers what Grafana would. `width` is in pixels: one point each. */
export async function loadPanel(panel: PanelJson, width: number, context: Context): Promise<PanelData> {
  const { type, targets = [], transformations = [], fieldConfig } = panel;
  const step = stepOf(context, width);
  const fill = (text: string): string => fillIn(text, context.variables, knownValues(context, step));
  const answers = await Promise.all(targets.map(target => ask(panel, target, fill(target.expr ?? ''), step, context)));
  const frames = answers.flatMap(answer => answer.frames);
  const transformed =
    transformations.length === 0
      ? frames
      : await firstValueFrom(transformDataFrame([...transformations], frames, { interpolate: text => text }));
  const buckets = answers.find(answer => answer.buckets !== undefined)?.buckets;
  return {
    frames: configure(type, fieldConfig, transformed, context.theme),
    exemplars: answers.flatMap(({ exemplars }) => exemplars),
    ...(buckets === undefined ? {} : { buckets }),
  };
}

/** Seconds between points, as Grafana reckons: a round number, and not below the scrape interval. */
export function stepOf({ range, scrapeSeconds }: Context, width: number): number {
  return rangeUtil.calculateInterval(range, width, `${scrapeSeconds}s`).intervalMs / 1000;
}

/** The range of a page, as Grafana's components want it. */
export function timeRange({ from, to }: Span): TimeRange {
  const [start, end] = [dateTime(from * 1000), dateTime(to * 1000)];
  return { from: start, to: end, raw: { from: start, to: end } };
}

function knownValues({ span, scrapeSeconds }: Context, step: number): Record<string, string> {
  return {
    __interval: `${step}s`,
    __rate_interval: `${Math.max(step + scrapeSeconds, 4 * scrapeSeconds)}s`,
    __range: `${span.to - span.from}s`,
  };
}

async function ask(
  { targets = [] }: PanelJson,
  target: TargetJson,
  query: string,
  step: number,
  { prometheus, span }: Context,
): Promise<PanelData> {
  const exemplars = target.exemplar ? chosen(await prometheus.exemplars(query, span), span) : [];
  if (target.instant) {
    const series = await prometheus.instant(query, span.to);
    if (target.format === 'table') {
      const frame = tableOf(target, series, targets.length > 1 ? `Value #${target.refId}` : 'Value');
      return { frames: series.length === 0 ? [] : [frame], exemplars };
    }
    const frames = series.map(({ metric, value }) => frameOf(target, { metric, values: [value] }, undefined));
    return { frames, exemplars };
  }
  const series = await prometheus.range(query, span, step);
  if (target.format === 'heatmap') return { frames: [], exemplars, buckets: bucketsOf(series, step) };
  return { frames: series.map(one => frameOf(target, one, step)), exemplars };
}
