import { readText } from '../read-text.ts';
import { UsageError } from '../usage-error.ts';

/**
 * The text of metrics, from the address of a process or from a file.
 *
 * @param limitMs how long a process may take, all in all
 * @throws UsageError when there is nothing of the kind; no credentials are in its message
 */
export async function readMetricsText(source: string, limitMs: number = 10_000): Promise<string> {
  if (/^https?:\/\//i.test(source)) return await ask(toUrl(source), limitMs);
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(source)) throw new UsageError('metrics are read from http, https or a file only');
  try {
    return readText(source, LARGEST);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${source}: ${error.message}`) : error;
  }
}

/** An address or a file, as it may be shown. */
export function shownSource(source: string): string {
  return URL.canParse(source) && /^https?:\/\//i.test(source) ? shownUrl(new URL(source)) : source;
}

/** Bytes: two hundred operations with all of their buckets are a tenth of it. */
const LARGEST = 16 * 1024 * 1024;
const MOST_REDIRECTS = 3;

function toUrl(source: string): URL {
  if (!URL.canParse(source)) throw new UsageError('the address of the metrics is no URL');
  return new URL(source);
}

async function ask(first: URL, limitMs: number): Promise<string> {
  const signal = AbortSignal.timeout(limitMs);
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const response = await fetchOnce(url, first, signal);
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      url = nextUrl(response, url, first);
      if (redirects >= MOST_REDIRECTS) throw new UsageError(`${shownUrl(first)} leads from one address to the next`);
    } else if (response.ok) {
      return await readBody(response, first);
    } else {
      await response.body?.cancel();
      throw new UsageError(`${shownUrl(url)} answers with status ${response.status}`);
    }
  }
}

async function fetchOnce(url: URL, first: URL, signal: AbortSignal): Promise<Response> {
  const { username, password } = first;
  // fetch takes no credentials in an address.
  const address = new URL(url);
  address.username = '';
  address.password = '';
  const credentials = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64');
  try {
    return await fetch(address.href, {
      redirect: 'manual',
      signal,
      headers: {
        accept: 'text/plain;version=0.0.4',
        ...(username === '' && password === '' ? undefined : { authorization: `Basic ${credentials}` }),
      },
    });
  } catch (error) {
    throw new UsageError(`${shownUrl(url)} cannot be read: ${whyOf(error)}`);
  }
}

/** A percent sign of a password may stand for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The next address: another path of the same server, or none. */
function nextUrl(response: Response, url: URL, first: URL): URL {
  const location = response.headers.get('location') ?? '';
  const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  if (next === undefined || next.origin !== first.origin) {
    throw new UsageError(
      `${shownUrl(url)} leads to another server; give its address, if that is where the metrics are`,
    );
  }
  return next;
}

async function readBody(response: Response, url: URL): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of response.body ?? []) {
      size += part.byteLength;
      // Leaving the loop cancels the rest.
      if (size > LARGEST) throw new UsageError(`${shownUrl(url)} sends more than ${LARGEST} bytes`);
      parts.push(part);
    }
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${shownUrl(url)} cannot be read: ${whyOf(error)}`);
  }
  return Buffer.concat(parts).toString('utf8');
}

function shownUrl({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

function whyOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string } };
  if (name === 'TimeoutError') return 'it takes too long';
  return cause?.code ?? (name === 'TypeError' ? 'the request failed' : message);
}
