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
  TableSortByFieldStateBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type DynamicConfigValue,
  MappingType,
  type Panel,
  SpecialValueMatch,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  CellValuesBuilder,
  PanelBuilder as HeatmapBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  HeatmapTooltipBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { PanelBuilder as LogsBuilder } from '@grafana/grafana-foundation-sdk/logs';
import { DataqueryBuilder as LokiQueryBuilder } from '@grafana/grafana-foundation-sdk/loki';
import {
  DataqueryBuilder as PrometheusQueryBuilder,
  PromQueryFormat,
} from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StatesBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { SearchTableType, DataqueryBuilder as TempoQueryBuilder } from '@grafana/grafana-foundation-sdk/tempo';
import { PanelBuilder as LinesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Column, Link, PanelSpec, Query, Thresholds } from './panel-spec.ts';

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
    .unit(spec.unit)
    .noValue(spec.noValue);
  if (spec.thresholds !== undefined) builder.thresholds(thresholds(spec.thresholds));
  if (spec.max !== undefined) builder.min(0).max(spec.max);
  if (spec.states !== undefined) builder.mappings(stateNames(spec.states));
  if (spec.kind === 'stat' && spec.noValue !== undefined) builder.mappings([nothing(spec.noValue)]);
  if (spec.link !== undefined) builder.dataLinks([linkTo(spec.link)]);
  if (spec.links !== undefined) builder.links(spec.links.map(linkTo));
  for (const [name, colour] of Object.entries(spec.colours ?? {})) {
    builder.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor: colour } }]);
  }
  spec.queries.forEach((query, i) => {
    const refId = String.fromCharCode(65 + i);
    builder.withTarget(target(spec, query, refId));
    if (query.line === 'dashed') builder.overrideByQuery(refId, DASHED);
  });
  return builder.build();
}

/** Links out of Grafana open beside it. */
function linkTo({ title, url }: Link): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url).targetBlank(!url.startsWith('/'));
}

const DASHED: DynamicConfigValue[] = [
  { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 8] } },
  { id: 'custom.fillOpacity', value: 0 },
];

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
      return heatmap(spec);
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
    .showPoints(VisibilityMode.Auto)
    .axisSoftMin(0)
    .legend(legend())
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  return spec.thresholds === undefined
    ? builder
    : builder.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
}

/** A heatmap has no standard options: its unit is that of the axis, and what it counts are calls a second. */
function heatmap({ unit }: PanelSpec): HeatmapBuilder {
  return new HeatmapBuilder()
    .calculate(false)
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme))
    .yAxis(new YAxisConfigBuilder().unit(unit))
    .cellValues(new CellValuesBuilder().unit('ops'))
    .tooltip(new HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(true).showColorScale(true))
    .showLegend();
}

function legend(): VizLegendOptionsBuilder {
  return (
    new VizLegendOptionsBuilder()
      .showLegend(true)
      .displayMode(LegendDisplayMode.Table)
      .placement(LegendPlacement.Bottom)
      .calcs(['lastNotNull', 'max'])
      // Named as its column is: the largest first, since few lines are seen without scrolling.
      .sortBy('Last *')
      .sortDesc(true)
  );
}

/** A table joins its queries by their labels, and names, orders and hides what comes out. */
function table({ columns = [], lowestFirst }: PanelSpec): TableBuilder {
  const builder = new TableBuilder().showHeader(true);
  if (columns.length === 0) return builder;
  for (const column of columns) builder.overrideByName(column.title, columnProperties(column));
  if (lowestFirst !== undefined) {
    builder.sortBy([new TableSortByFieldStateBuilder().displayName(lowestFirst).desc(false)]);
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

function columnProperties({ unit, thresholds: from }: Column): DynamicConfigValue[] {
  return [
    // Else an empty cell says what the panel says where it has no rows.
    { id: 'noValue', value: '–' },
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
    return new TempoQueryBuilder()
      .refId(refId)
      .datasource(SOURCES.tempo)
      .queryType('traceql')
      .tableType(SearchTableType.Traces)
      .query(expr)
      .limit(20);
  }
  if (spec.kind === 'logs') {
    return new LokiQueryBuilder().refId(refId).datasource(SOURCES.loki).queryType('range').expr(expr);
  }
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
  const doubtful = warn === undefined || warn === bad ? [] : [warn];
  const steps: Threshold[] =
    worse === 'high'
      ? [lowest(good), ...doubtful.map(value => ({ value, color: COLOURS.warn })), { value: bad, color: COLOURS.bad }]
      : [
          lowest(COLOURS.bad),
          { value: bad, color: doubtful.length === 0 ? good : COLOURS.warn },
          ...doubtful.map(value => ({ value, color: good })),
        ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}

/** Grafana writes minus infinity as null. */
function lowest(color: string): Threshold {
  return { value: null, color };
}

/** Without it, the words for "nothing there" have the colour of the lowest threshold, which may be red. */
function nothing(text: string): ValueMapping {
  return {
    type: MappingType.SpecialValue,
    options: { match: SpecialValueMatch.NullAndNan, result: { text, color: 'text', index: 0 } },
  };
}

function stateNames(states: NonNullable<PanelSpec['states']>): ValueMapping[] {
  const options = Object.fromEntries(
    states.map(({ value, text, colour }, index) => [String(value), { text, color: colour, index }]),
  );
  return [{ type: MappingType.ValueToText, options }];
}
