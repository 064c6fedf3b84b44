/** One panel, as the dashboards describe it; `panel()` makes it Grafana's. */
export interface PanelSpec {
  readonly kind: 'stat' | 'lines' | 'stacked' | 'heatmap' | 'states' | 'table' | 'traces' | 'logs';
  readonly title: string;
  /** What it shows, and what to do about it. */
  readonly description: string;
  /** A unit of Grafana's list. */
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Columns of the 24 that a row has. */
  readonly width: number;
  /** Values from which something is worth a look, and from which it is wrong. */
  readonly thresholds?: Thresholds;
  /** The highest and lowest value of the axis, where it has ends. */
  readonly max?: number;
  /** What stands there while nothing has happened yet. */
  readonly noValue?: string;
  /** Names of values, for states. */
  readonly states?: readonly StateName[];
  /** What a table makes of its queries. */
  readonly columns?: readonly Column[];
  /** Where a click on a value leads. */
  readonly link?: { readonly title: string; readonly url: string };
}

/** The units that are used; a subset of those that the dashboard linter knows. */
export type Unit = 'none' | 'short' | 's' | 'reqps' | 'ops' | 'percentunit' | 'bool_on_off';

/** A query of a panel. */
export interface Query {
  readonly expr: string;
  /** The name of its series; `{{label}}` is filled in. */
  readonly legend?: string;
  /** Has the traces behind it shown, where a counter or a histogram has them. */
  readonly exemplars?: 'on';
  /** The value now, instead of its course. */
  readonly instant?: 'on';
}

/** Values from which a panel changes its colour. */
export interface Thresholds {
  /** `high`: more is worse. `low`: less is. */
  readonly worse: 'high' | 'low';
  readonly warn: number;
  readonly bad: number;
}

/** A value that stands for a state. */
export interface StateName {
  readonly value: number;
  readonly text: string;
  readonly colour: string;
}

/** A column of a table: the label or the query that it shows. */
export interface Column {
  readonly from: string;
  readonly title: string;
  readonly unit?: Unit;
  readonly thresholds?: Thresholds;
}
