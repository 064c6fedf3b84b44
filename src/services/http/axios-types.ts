/** What is asked of an axios instance; axios 1 has it. */
export interface AxiosLike {
  readonly defaults: { adapter?: unknown };
  /** Makes an instance without interceptors. */
  create?(): AxiosLike;
  request(config: never): Promise<unknown>;
}

/** What sends a request of axios. */
export type AxiosAdapterLike = (config: AxiosConfigLike) => Promise<AxiosResponseLike>;

/** What an adapter is given. */
export interface AxiosConfigLike {
  readonly url?: string;
  readonly baseURL?: string;
  readonly method?: string;
  readonly headers: {
    get(name: string): unknown;
    concat(headers: Readonly<Record<string, string>>): AxiosConfigLike['headers'];
  };
  readonly data?: unknown;
  readonly responseType?: string;
  readonly signal?: unknown;
  readonly cancelToken?: { toAbortSignal?(): AbortSignal };
  readonly [more: string]: unknown;
}

/** What an adapter gives. */
export interface AxiosResponseLike {
  readonly status: number;
  readonly headers: unknown;
  readonly data: unknown;
  config: unknown;
}
