import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';

/** One query of a dashboard, as it stands in its JSON. */
export interface FoundQuery {
  readonly dashboard: string;
  readonly panel: string;
  readonly type: string;
  readonly refId: string;
  readonly expr: string;
  readonly source: 'prometheus' | 'tempo' | 'loki';
  readonly kind: 'instant' | 'range';
  readonly exemplars: 'on' | 'off';
}

/** A panel, as far as tests look at it. */
export interface FoundPanel {
  readonly id?: number;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly gridPos?: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly type?: string; readonly uid?: string };
  readonly targets?: readonly {
    readonly refId?: string;
    readonly expr?: string;
    readonly query?: string;
    readonly instant?: boolean;
    readonly exemplar?: boolean;
    readonly datasource?: { readonly type?: string };
  }[];
  readonly fieldConfig?: { readonly defaults?: { readonly unit?: string; readonly mappings?: readonly unknown[] } };
}

/** The panels of a dashboard, without the titles of its rows. */
export function panelsOf({ panels = [] }: Dashboard): FoundPanel[] {
  return (panels as readonly FoundPanel[]).filter(({ type }) => type !== 'row');
}

/** Every query of every panel. */
export function queriesOf(dashboard: Dashboard): FoundQuery[] {
  return panelsOf(dashboard).flatMap(({ title = '', type, targets = [] }) =>
    targets.map(({ refId = '', expr, query, instant, exemplar, datasource }) => ({
      dashboard: dashboard.uid ?? '',
      panel: title,
      type,
      refId,
      expr: expr ?? query ?? '',
      source: (datasource?.type ?? 'prometheus') as FoundQuery['source'],
      kind: instant === true ? ('instant' as const) : ('range' as const),
      exemplars: exemplar === true ? ('on' as const) : ('off' as const),
    })),
  );
}

/** Every query of a variable, such as `label_values(metric, label)`. */
export function variableQueriesOf({ templating }: Dashboard): { name: string; query: string }[] {
  return (templating?.list ?? []).flatMap(({ name, query }) =>
    typeof query === 'object' && query !== null && 'query' in query ? [{ name, query: String(query.query) }] : [],
  );
}
