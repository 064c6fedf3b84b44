/**
 * The values of a header, each as it was sent, none when it is absent. `name` is in lower case.
 *
 * Understood are objects with a `get` (Headers, AxiosHeaders, the Metadata of gRPC), records with names in any case
 * whose values may be lists (Node, undici, got, the AWS SDK), and flat lists of names and values (undici's raw headers,
 * Node's `rawHeaders`). Of a record only own properties count. Throws what a foreign object throws.
 */
export function headerValues(headers: object, name: string): string[] {
  return sentValues(headers, name)
    .flatMap(value => value ?? [])
    .map(String);
}

function sentValues(headers: { readonly get?: unknown }, name: string): unknown[] {
  if (typeof headers.get === 'function') return [headers.get(name)].flat();
  // Most names have another length, so that few have to be copied to lower case.
  const isName = (key: string | Buffer): boolean => key.length === name.length && String(key).toLowerCase() === name;
  return Array.isArray(headers)
    ? headers.filter((_, i) => i % 2 === 1 && isName(headers[i - 1]))
    : Object.keys(headers)
        .filter(isName)
        .flatMap(key => (headers as Record<string, unknown>)[key]);
}
