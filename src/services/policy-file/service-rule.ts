import { message, oneOf } from '../../engine/option-checks.ts';

/** A call to another service, as instrumentation sees it. */
export interface ServiceCall {
  readonly kind: ServiceKind;
  /** Host, with its port where that is not the usual one; of a database or broker too. */
  readonly host?: string | undefined;
  /** HTTP method, in capitals. */
  readonly method?: string | undefined;
  /** Path of the URL, without its query. */
  readonly path?: string | undefined;
  /** Topic of a message, or name of a command. */
  readonly name?: string | undefined;
}

/** What kinds of services can be named. */
export const SERVICE_KINDS = ['http', 'database', 'kafka', 'redis', 'grpc'] as const;

/** A kind of service. */
export type ServiceKind = (typeof SERVICE_KINDS)[number];

/** Which calls a policy is for; see {@link matches}. */
export interface ServiceMatch {
  readonly kind: ServiceKind;
  /** A host, or `*.example.com` for those below it. Not for Kafka: a rule is for a topic, on whichever broker. */
  readonly host?: string;
  /** HTTP methods. */
  readonly methods?: readonly string[];
  /** A template of the path: `/users/:id` or `/users/{id}`; a `*` at the end stands for whatever follows. */
  readonly route?: string;
  /**
   * A topic or a command; a `*` at the end stands for whatever follows. Commands of Redis and words of SQL are the same in
   * capitals and small letters.
   */
  readonly name?: string;
}

/** The names that a rule may have. */
export const MATCH_NAMES = ['kind', 'host', 'methods', 'route', 'name'] as const;

/** True when a call is one of those that a rule is for: all that the rule names has to fit. */
export function matches(rule: ServiceMatch, call: ServiceCall): boolean {
  return (
    rule.kind === call.kind &&
    (rule.host === undefined || isHost(rule.host, call.host)) &&
    (rule.methods === undefined || rule.methods.includes(call.method ?? '')) &&
    (rule.route === undefined || isRoute(rule.route, call.path)) &&
    (rule.name === undefined || isName(rule, rule.name, call.name))
  );
}

/**
 * Checks what stands in a file for a rule.
 *
 * @throws TypeError, naming what is wrong and what is allowed
 */
export function checkMatch(match: Readonly<Record<string, unknown>>): ServiceMatch {
  oneOf(...SERVICE_KINDS)('kind', match.kind);
  for (const name of ['host', 'route', 'name'] as const) {
    const value = match[name];
    if (value !== undefined && (typeof value !== 'string' || value === '' || value.length > 500)) {
      throw new TypeError(message(name, value, 'a text of 1 to 500 characters'));
    }
  }
  const { host, methods, kind, route } = match;
  // Not shown: it may hold credentials.
  if (typeof host === 'string' && !/^(\*\.)?[^\s/@*?#]+$/.test(host)) {
    throw new TypeError('host must be a host such as api.example.com, api.example.com:8443 or *.example.com, no URL');
  }
  if (kind === 'kafka' && host !== undefined) {
    throw new TypeError('host is not for kafka: a rule is for a topic, on whichever broker; name the topic');
  }
  if (methods !== undefined && !(Array.isArray(methods) && methods.length > 0 && methods.every(isMethod))) {
    throw new TypeError(message('methods', methods, 'a list of HTTP methods in capitals, such as [GET, PUT]'));
  }
  if (kind !== 'http' && (methods !== undefined || route !== undefined)) {
    throw new TypeError(`methods and route are for kind http, not for ${String(kind)}`);
  }
  if (typeof route === 'string' && !route.startsWith('/')) {
    throw new TypeError(message('route', route, 'a template such as /users/:id'));
  }
  return match as unknown as ServiceMatch;
}

function isMethod(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Z]+$/.test(value);
}

function isHost(wanted: string, host: string | undefined): boolean {
  if (host === undefined) return false;
  const [pattern, actual] = [wanted.toLowerCase(), host.toLowerCase()];
  if (pattern.startsWith('*.')) return withoutPort(actual, pattern).endsWith(pattern.slice(1));
  return withoutPort(actual, pattern) === pattern;
}

/** A rule without a port is for all ports. */
function withoutPort(host: string, pattern: string): string {
  return /:\d+$/.test(pattern) ? host : host.replace(/:\d+$/, '');
}

function isRoute(template: string, path: string | undefined): boolean {
  if (path === undefined) return false;
  const wanted = template.split('/');
  const actual = path.split('/');
  const isOpen = wanted.at(-1) === '*';
  if (isOpen ? actual.length < wanted.length : actual.length !== wanted.length) return false;
  return wanted.every(
    (part, i) => (isOpen && i === wanted.length - 1) || (/^(:|\{)/.test(part) ? actual[i] !== '' : part === actual[i]),
  );
}

function isName(rule: ServiceMatch, wanted: string, name: string | undefined): boolean {
  if (name === undefined) return false;
  const [pattern, actual] = [comparableName(rule, wanted), comparableName(rule, name)];
  return pattern.endsWith('*') ? actual.startsWith(pattern.slice(0, -1)) : actual === pattern;
}

/** `GET` and `get` are the same command, `SELECT` and `select` the same statement; topics are told apart by their case. */
function comparableName({ kind }: Pick<ServiceMatch, 'kind'>, name: string): string {
  return kind === 'redis' || kind === 'database' ? name.toLowerCase() : name;
}
