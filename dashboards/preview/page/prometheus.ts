/** A series with its course over time: seconds since 1970, and values as text. */
export interface RangeSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

/** A series with its value now. */
export interface InstantSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** A measurement with the trace that it came from. */
export interface Exemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Seconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Prometheus' HTTP API, as far as a dashboard needs it. Every method throws an Error when Prometheus refuses. */
export class Prometheus {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** As Grafana asks: at whole multiples of the step. */
  async range(query: string, { from, to }: Span, step: number): Promise<RangeSeries[]> {
    const start = Math.ceil(from / step) * step;
    const end = Math.floor(to / step) * step;
    const { result } = await this.#ask<{ result: RangeSeries[] }>('query_range', { query, start, end, step });
    return result;
  }

  async instant(query: string, time: number): Promise<InstantSeries[]> {
    const { result } = await this.#ask<{ result: InstantSeries[] }>('query', { query, time });
    return result;
  }

  async exemplars(query: string, { from, to }: Span): Promise<Exemplar[]> {
    const all = await this.#ask<
      { exemplars: { labels: Record<string, string>; value: string; timestamp: number }[] }[]
    >('query_exemplars', { query, start: from, end: to });
    return all.flatMap(({ exemplars }) =>
      exemplars.map(({ labels, value, timestamp }) => ({ labels, value: Number(value), time: timestamp * 1000 })),
    );
  }

  labelValues(label: string, selector: string, { from, to }: Span): Promise<string[]> {
    return this.#ask<string[]>(`label/${label}/values`, { 'match[]': selector, start: from, end: to });
  }

  async #ask<T>(path: string, parameters: Readonly<Record<string, string | number>>): Promise<T> {
    const query = new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
    const response = await fetch(`${this.#url}/api/v1/${path}?${query}`);
    const answer = (await response.json()) as { status: string; data: T; error?: string };
    if (answer.status !== 'success') throw new Error(`${answer.error} in ${JSON.stringify(parameters)}`);
    return answer.data;
  }
}
