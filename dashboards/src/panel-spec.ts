/** One panel, as the dashboards describe it; `panel()` makes it Grafana's. */
export interface PanelSpec {
  readonly kind: 'stat' | 'lines' | 'stacked' | 'heatmap' | 'states' | 'table' | 'traces' | 'logs';
  readonly title: string;
  /** What it shows, and what to do about it. */
  readonly description: string;
  /** A unit of Grafana's list; that of the axis in a heatmap. */
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Columns of the 24 that a row has. */
  readonly width: number;
  /** Values from which something is worth a look, and from which it is wrong. */
  readonly thresholds?: Thresholds;
  /** The highest value of an axis that begins at 0, where it has an end. */
  readonly max?: number;
  /** What stands there while nothing has happened yet. */
  readonly noValue: string;
  /** Names of values, for states. */
  readonly states?: readonly StateName[];
  /** Colours of series, by their legend. */
  readonly colours?: Readonly<Record<string, string>>;
  /** What a table makes of its queries. */
  readonly columns?: readonly Column[];
  /** The column whose lowest values a table shows first. */
  readonly lowestFirst?: string;
  /** Where a click on a value leads. */
  readonly link?: Link;
  /** Where the panel itself leads. */
  readonly links?: readonly Link[];
}

/** The units that are used; a subset of those that the dashboard linter knows. */
export type Unit = 'none' | 'short' | 's' | 'reqps' | 'ops' | 'percentunit';

/** A query of a panel. */
export interface Query {
  readonly expr: string;
  /** The name of its series; `{{label}}` is filled in. */
  readonly legend?: string;
  /** Has the traces behind it shown, where a counter or a histogram has them. */
  readonly exemplars?: 'on';
  /** The value now, instead of its course. */
  readonly instant?: 'on';
  /** How its line is drawn, where it is not a measurement but a limit. */
  readonly line?: 'dashed';
}

/** Values from which a panel changes its colour. */
export interface Thresholds {
  /** `high`: more is worse. `low`: less is. */
  readonly worse: 'high' | 'low';
  readonly warn?: number;
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

/** A link, with Grafana's variables in it. */
export interface Link {
  readonly title: string;
  readonly url: string;
}
