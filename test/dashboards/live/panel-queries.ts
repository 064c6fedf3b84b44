import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { seconds } from '../../../dashboards/src/duration.ts';
import { type FoundQuery, queriesOf, variableQueriesOf } from '../../../dashboards/src/walk.ts';

/** A stretch of time that a dashboard shows, in seconds since 1970. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What Prometheus had for one query. */
export interface Answer {
  readonly where: string;
  readonly verdict: 'finite' | 'empty' | 'not finite' | 'error';
  readonly detail: string;
}

/** Asks Prometheus what Grafana would ask it, for all values of the variables. */
export class PanelQueries {
  readonly #url: string;
  readonly #scrapeSeconds: number;

  constructor(url: string, scrapeInterval: string) {
    this.#url = url;
    this.#scrapeSeconds = seconds(scrapeInterval);
  }

  /** Every query of every panel that goes to Prometheus. */
  async ask(dashboard: Dashboard, range: Range): Promise<Answer[]> {
    const queries = queriesOf(dashboard).filter(({ source }) => source === 'prometheus');
    return await Promise.all(queries.map(query => this.#answer(query, range)));
  }

  /** The values that each variable of the dashboard offers. */
  async variables(dashboard: Dashboard, range: Range): Promise<Map<string, string[]>> {
    const asked = variableQueriesOf(dashboard).map(async ({ name, query }) => {
      const [, selector = '', wanted = ''] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
      const params = { 'match[]': this.#expand(selector, range), start: String(range.from), end: String(range.to) };
      const { data } = await this.#get<string[]>(`/api/v1/label/${wanted}/values`, params);
      return [name, data] as const;
    });
    return new Map(await Promise.all(asked));
  }

  /** The trace ids of the exemplars behind each query that asks for some. */
  async exemplars(dashboard: Dashboard, range: Range): Promise<Map<string, string[]>> {
    const queries = queriesOf(dashboard).filter(({ exemplars }) => exemplars === 'on');
    const asked = queries.map(async query => {
      const params = { query: this.#expand(query.expr, range), start: String(range.from), end: String(range.to) };
      type Series = { exemplars: { labels: { trace_id?: string } }[] };
      const { data } = await this.#get<Series[]>('/api/v1/query_exemplars', params);
      return [
        nameOf(query),
        data.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id ?? '')),
      ] as const;
    });
    return new Map(await Promise.all(asked));
  }

  async #answer(query: FoundQuery, range: Range): Promise<Answer> {
    const where = nameOf(query);
    try {
      const expr = this.#expand(query.expr, range);
      const { data } =
        query.kind === 'instant'
          ? await this.#get<Result>('/api/v1/query', { query: expr, time: String(range.to) })
          : await this.#get<Result>('/api/v1/query_range', {
              query: expr,
              start: String(range.from),
              end: String(range.to),
              step: String(this.#scrapeSeconds),
            });
      const values = data.result.flatMap(({ value, values = [] }) => [...(value ? [value] : []), ...values]);
      if (values.length === 0) return { where, verdict: 'empty', detail: expr };
      const finite = values.some(([, text]) => Number.isFinite(Number(text)));
      return { where, verdict: finite ? 'finite' : 'not finite', detail: expr };
    } catch (error) {
      return { where, verdict: 'error', detail: String(error) };
    }
  }

  /** As Grafana does, where everything is chosen. */
  #expand(expr: string, { from, to }: Range): string {
    const rateInterval = `${Math.round(4 * this.#scrapeSeconds * 1000)}ms`;
    return expr
      .replaceAll('$__rate_interval', rateInterval)
      .replaceAll('$__range', `${Math.max(1, Math.round(to - from))}s`)
      .replaceAll('$__interval', `${Math.round(this.#scrapeSeconds * 1000)}ms`)
      .replaceAll(/\$(job|instance|operation)\b|\$\{(job|instance|operation)(:\w+)?\}/g, '.+');
  }

  async #get<Data>(path: string, params: Readonly<Record<string, string>>): Promise<{ data: Data }> {
    const response = await fetch(`${this.#url}${path}?${new URLSearchParams(params)}`);
    const answer = (await response.json()) as { status: string; error?: string; data: Data };
    if (answer.status !== 'success') throw new Error(answer.error);
    return answer;
  }
}

interface Result {
  readonly result: readonly { readonly value?: Sample; readonly values?: readonly Sample[] }[];
}

type Sample = readonly [time: number, value: string];

function nameOf({ dashboard, panel, refId }: FoundQuery): string {
  return `${dashboard} / ${panel} / ${refId}`;
}
