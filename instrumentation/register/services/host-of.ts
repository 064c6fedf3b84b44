/** `cache.internal`, or `cache.internal:6380` where the port is not the usual one: what a rule's host is compared with. */
export function hostOf(host: unknown, port: unknown, usualPort: number): string | undefined {
  if (typeof host !== 'string') return undefined;
  return port === undefined || Number(port) === usualPort ? host : `${host}:${String(port)}`;
}
