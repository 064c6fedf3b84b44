/** An answer that is no success, with what a retry needs to know of it. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly status: number;
  readonly headers: Headers;

  constructor(status: number, headers: Headers) {
    super(`The upstream answered ${status}`);
    this.status = status;
    this.headers = headers;
  }
}

/** Fetches JSON; anything but a success is an error. */
export async function fetchJson(url: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(url, init);
  if (response.ok) return await response.json();
  // An answer that nobody reads keeps its connection.
  await response.body?.cancel();
  throw new UpstreamError(response.status, response.headers);
}
