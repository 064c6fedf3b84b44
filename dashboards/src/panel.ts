import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
  BigValueColorMode,
  BigValueGraphMode,
  type DataSourceRef,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  LogsSortOrder,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  type DynamicConfigValue,
  MappingType,
  type Panel,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as HeatmapBuilder } from '@grafana/grafana-foundation-sdk/heatmap';
import { PanelBuilder as LogsBuilder } from '@grafana/grafana-foundation-sdk/logs';
import { DataqueryBuilder as LokiQueryBuilder } from '@grafana/grafana-foundation-sdk/loki';
import {
  DataqueryBuilder as PrometheusQueryBuilder,
  PromQueryFormat,
} from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StatesBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { DataqueryBuilder as TempoQueryBuilder } from '@grafana/grafana-foundation-sdk/tempo';
import { PanelBuilder as LinesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Column, PanelSpec, Query, Thresholds } from './panel-spec.ts';

/** The data sources behind the variables of a dashboard. */
export const SOURCES: Readonly<Record<'prometheus' | 'tempo' | 'loki', DataSourceRef>> = {
  prometheus: { type: 'prometheus', uid: '$prometheus_datasource' },
  tempo: { type: 'tempo', uid: '$tempo_datasource' },
  loki: { type: 'loki', uid: '$loki_datasource' },
};

/** Where a panel stands: columns of 24, and rows of about 30 pixels. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Makes a panel Grafana's. */
export function panel(spec: PanelSpec, id: number, place: Place): Panel {
  const builder = builderFor(spec)
    .id(id)
    .title(spec.title)
    .description(spec.description)
    .datasource(sourceOf(spec))
    .gridPos(place)
    .unit(spec.unit);
  if (spec.thresholds !== undefined) builder.thresholds(thresholds(spec.thresholds));
  if (spec.noValue !== undefined) builder.noValue(spec.noValue);
  if (spec.max !== undefined) builder.min(0).max(spec.max);
  if (spec.states !== undefined) builder.mappings(stateNames(spec.states));
  if (spec.link !== undefined) builder.dataLinks([new DashboardLinkBuilder(spec.link.title).url(spec.link.url)]);
  spec.queries.forEach((query, i) => {
    builder.withTarget(target(spec, query, String.fromCharCode(65 + i)));
  });
  return builder.build();
}

/** What all builders of panels have in common, as far as it is used. */
type AnyBuilder = StatBuilder | LinesBuilder | HeatmapBuilder | StatesBuilder | TableBuilder | LogsBuilder;

function builderFor(spec: PanelSpec): AnyBuilder {
  switch (spec.kind) {
    case 'stat':
      return new StatBuilder()
        .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
        .colorMode(spec.thresholds === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
        .graphMode(BigValueGraphMode.Area);
    case 'lines':
      return lines(spec);
    case 'stacked':
      return lines(spec).fillOpacity(30).stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
    case 'heatmap':
      return new HeatmapBuilder().calculate(false).showLegend();
    case 'states':
      return new StatesBuilder().mergeValues(true).showValue(VisibilityMode.Auto).legend(legend());
    case 'logs':
      return new LogsBuilder()
        .showTime(true)
        .wrapLogMessage(true)
        .enableLogDetails(true)
        .sortOrder(LogsSortOrder.Descending);
    case 'table':
    case 'traces':
      return table(spec);
  }
}

function lines(spec: PanelSpec): LinesBuilder {
  const builder = new LinesBuilder()
    .lineWidth(1)
    .fillOpacity(10)
    .showPoints(VisibilityMode.Never)
    .axisSoftMin(0)
    .legend(legend())
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  return spec.thresholds === undefined
    ? builder
    : builder.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
}

function legend(): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.Table)
    .placement(LegendPlacement.Bottom)
    .calcs(['lastNotNull', 'max']);
}

/** A table joins its queries by their labels, and names, orders and hides what comes out. */
function table({ columns = [] }: PanelSpec): TableBuilder {
  const builder = new TableBuilder().showHeader(true);
  if (columns.length === 0) return builder;
  for (const { title, unit, thresholds: from } of columns) {
    const properties = columnProperties(unit, from);
    if (properties.length > 0) builder.overrideByName(title, properties);
  }
  return builder
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({ id: 'filterFieldsByName', options: { include: { names: columns.map(({ from }) => from) } } })
    .withTransformation({
      id: 'organize',
      options: {
        indexByName: Object.fromEntries(columns.map(({ from }, i) => [from, i])),
        renameByName: Object.fromEntries(columns.map(({ from, title }) => [from, title])),
      },
    });
}

function columnProperties(unit: Column['unit'], from: Thresholds | undefined): DynamicConfigValue[] {
  return [
    ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
    ...(from === undefined
      ? []
      : [
          { id: 'thresholds', value: thresholds(from).build() },
          { id: 'custom.cellOptions', value: { type: 'color-text' } },
        ]),
  ];
}

function sourceOf({ kind }: PanelSpec): DataSourceRef {
  if (kind === 'traces') return SOURCES.tempo;
  return kind === 'logs' ? SOURCES.loki : SOURCES.prometheus;
}

function target(spec: PanelSpec, { expr, legend: name, exemplars, instant }: Query, refId: string): Builder<Dataquery> {
  if (spec.kind === 'traces') {
    return new TempoQueryBuilder().refId(refId).datasource(SOURCES.tempo).queryType('traceql').query(expr).limit(20);
  }
  if (spec.kind === 'logs') return new LokiQueryBuilder().refId(refId).datasource(SOURCES.loki).expr(expr).range(true);
  const query = new PrometheusQueryBuilder().refId(refId).datasource(SOURCES.prometheus).expr(expr);
  if (name !== undefined) query.legendFormat(name);
  if (exemplars === 'on') query.exemplar(true);
  if (instant === 'on') query.instant();
  else query.range();
  if (spec.kind === 'heatmap') query.format(PromQueryFormat.Heatmap);
  if (spec.kind === 'table') query.format(PromQueryFormat.Table);
  return query;
}

const COLOURS = { good: 'green', warn: 'orange', bad: 'red' } as const;

function thresholds({ worse, warn, bad }: Thresholds): ThresholdsConfigBuilder {
  const { good } = COLOURS;
  const steps: Threshold[] =
    worse === 'high'
      ? [lowest(good), { value: warn, color: COLOURS.warn }, { value: bad, color: COLOURS.bad }]
      : [lowest(COLOURS.bad), { value: bad, color: COLOURS.warn }, { value: warn, color: good }];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}

/** Grafana writes minus infinity as null. */
function lowest(color: string): Threshold {
  return { value: null, color };
}

function stateNames(states: NonNullable<PanelSpec['states']>): ValueMapping[] {
  const options = Object.fromEntries(
    states.map(({ value, text, colour }, index) => [String(value), { text, color: colour, index }]),
  );
  return [{ type: MappingType.ValueToText, options }];
}
