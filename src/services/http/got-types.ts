/** What is asked of got; got 12 and later have it. */
export interface GotLike {
  (url: undefined, options: never, defaults: never): PromiseLike<unknown>;
  extend(...more: never[]): unknown;
  readonly defaults: { readonly handlers: readonly unknown[] };
}

/** The options of one request, as handlers of got get them. */
export interface GotOptionsLike {
  readonly url?: unknown;
  readonly method?: string;
  headers: Record<string, string | string[] | undefined>;
  readonly body?: unknown;
  readonly isStream: boolean;
  resolveBodyOnly: boolean;
  retry: object;
  signal?: AbortSignal | undefined;
  readonly encoding?: BufferEncoding;
  parseJson(text: string): unknown;
}

/** What got resolves with. */
export interface GotResponseLike {
  readonly statusCode: number;
  readonly headers: unknown;
  readonly body: unknown;
  readonly rawBody: Uint8Array;
}
