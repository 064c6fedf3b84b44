import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A dashboard, as far as tests look at its JSON. */
export interface DashboardJson {
  readonly title: string;
  readonly uid?: string;
  readonly description?: string;
  readonly editable?: boolean;
  readonly schemaVersion?: number;
  readonly graphTooltip?: number;
  readonly tags?: readonly string[];
  readonly templating?: { readonly list?: readonly VariableJson[] };
  readonly annotations?: { readonly list?: readonly AnnotationJson[] };
  readonly links?: readonly LinkJson[];
  readonly panels?: readonly PanelJson[];
}

export interface VariableJson {
  readonly name: string;
  readonly type: string;
  readonly label?: string;
  readonly query?: string | { readonly query: string };
  readonly datasource?: SourceJson;
  readonly multi?: boolean;
  readonly allValue?: string;
  readonly refresh?: number;
}

export interface AnnotationJson {
  readonly name: string;
  readonly expr?: string;
  readonly datasource?: SourceJson;
  readonly enable?: boolean;
  readonly titleFormat?: string;
  readonly tagKeys?: string;
  readonly placement?: string;
}

export interface LinkJson {
  readonly title: string;
  readonly type?: string;
  readonly url?: string;
  readonly tags?: readonly string[];
  readonly includeVars?: boolean;
  readonly keepTime?: boolean;
  readonly placement?: string;
}

export interface PanelJson {
  readonly id?: number;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly datasource?: SourceJson;
  readonly gridPos?: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly TargetJson[];
  readonly links?: readonly LinkJson[];
  readonly transformations?: readonly { readonly id: string; readonly options: Readonly<Record<string, unknown>> }[];
  readonly options?: OptionsJson;
  readonly fieldConfig?: {
    readonly defaults?: FieldJson;
    readonly overrides?: readonly {
      readonly matcher: { readonly id: string; readonly options: string };
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
}

export interface OptionsJson {
  readonly legend?: {
    readonly showLegend?: boolean;
    readonly displayMode?: string;
    readonly calcs?: readonly string[];
  };
  readonly tooltip?: { readonly mode?: string; readonly sort?: string };
  readonly reduceOptions?: { readonly fields?: string };
  readonly calculate?: boolean;
  readonly yAxis?: { readonly unit?: string };
  readonly color?: { readonly mode?: string };
  readonly sortBy?: readonly { readonly displayName: string }[];
}

export interface FieldJson {
  readonly unit?: string;
  readonly noValue?: string;
  readonly mappings?: readonly { readonly options: Readonly<Record<string, { text: string; color: string }>> }[];
  readonly thresholds?: { readonly steps: readonly { readonly value: number | null; readonly color: string }[] };
  readonly links?: readonly LinkJson[];
}

export interface TargetJson {
  readonly refId?: string;
  readonly expr?: string;
  readonly query?: string;
  readonly queryType?: string;
  readonly tableType?: string;
  readonly legendFormat?: string;
  readonly format?: string;
  readonly instant?: boolean;
  readonly range?: boolean;
  readonly exemplar?: boolean;
  readonly datasource?: SourceJson;
}

export interface SourceJson {
  readonly type?: string;
  readonly uid?: string;
}

/** The dashboards as they are committed. */
export function committed(): DashboardJson[] {
  return ['overview', 'operation', 'protection'].map(name => {
    const file = join(__dirname, `../../../dashboards/grafana/retry-${name}.json`);
    return JSON.parse(readFileSync(file, 'utf8')) as DashboardJson;
  });
}

/** The panels of a dashboard, without the titles of its rows. */
export function panelsIn({ panels = [] }: DashboardJson): PanelJson[] {
  return panels.filter(({ type }) => type !== 'row');
}

/** The variables of a dashboard. */
export function variablesIn({ templating }: DashboardJson): readonly VariableJson[] {
  return templating?.list ?? [];
}

/** What a variable asks for, in either form in which Grafana writes it. */
export function queryOf({ query = '' }: VariableJson): string {
  return typeof query === 'string' ? query : query.query;
}
