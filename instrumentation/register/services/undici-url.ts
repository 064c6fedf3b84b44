import { read } from '../../../src/engine/read.ts';
import { toUrl } from '../../../src/services/http/request-facts.ts';

/**
 * Where undici sends a request, by the first argument and the option `path`; undefined where it throws for them, which it
 * is to do itself.
 */
export function requestUrl(url: unknown, path: unknown): URL | undefined {
  const target = isParts(url) ? fromParts(url) : toUrl(url);
  if (target?.protocol !== 'http:' && target?.protocol !== 'https:') return undefined;
  if (path === undefined || path === null) return target;
  const isOrigin = target.pathname === '/' && target.search === '' && target.hash === '';
  return isOrigin && typeof path === 'string' ? toUrl(`${target.origin}${withSlash(path)}`) : undefined;
}

/** The options of a request: those beside its URL, or, where there are none, those among the parts of the URL. */
export function requestOptions(url: unknown, options: unknown): unknown {
  // As an option beside a URL, the path would be another one.
  return (options === undefined || options === null) && isParts(url) ? { ...url, path: undefined } : options;
}

function isParts(url: unknown): url is object {
  return typeof url === 'object' && url !== null && !(url instanceof URL);
}

function fromParts(parts: object): URL | undefined {
  const protocol = read(parts, 'protocol');
  const port = read(parts, 'port') ?? (protocol === 'https:' ? 443 : 80);
  const origin = read(parts, 'origin') ?? `${protocol}//${read(parts, 'hostname') ?? ''}:${port}`;
  const path = read(parts, 'path') ?? `${read(parts, 'pathname') ?? ''}${read(parts, 'search') ?? ''}`;
  return toUrl(`${String(origin).replace(/\/$/, '')}${withSlash(String(path))}`);
}

function withSlash(path: string): string {
  return path === '' || path.startsWith('/') ? path : `/${path}`;
}
