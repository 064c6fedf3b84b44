import type { DataTransformerConfig, FieldConfigSource } from '@grafana/data';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';

/** A panel, as far as the preview reads its JSON. */
export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly options?: object;
  readonly fieldConfig?: FieldConfigSource;
  readonly transformations?: DataTransformerConfig[];
  readonly targets?: readonly TargetJson[];
}

/** A query of a panel. */
export interface TargetJson {
  readonly refId: string;
  readonly expr?: string;
  readonly legendFormat?: string;
  readonly format?: 'time_series' | 'table' | 'heatmap';
  readonly instant?: boolean;
  readonly exemplar?: boolean;
  readonly datasource?: { readonly type?: string };
}

/** An annotation: a query whose series are marked in the graphs while they are there. */
export interface AnnotationJson {
  readonly name: string;
  readonly expr?: string;
  readonly iconColor: string;
  readonly titleFormat?: string;
}

/** The rows and panels of a dashboard. */
export function partsOf({ panels = [] }: Dashboard): readonly PanelJson[] {
  return panels as unknown as readonly PanelJson[];
}

/** The annotations of a dashboard. */
export function annotationsOf({ annotations }: Dashboard): readonly AnnotationJson[] {
  return (annotations?.list ?? []) as readonly AnnotationJson[];
}
