import type { ServiceMatch } from 'retryscope/policy-file';

/** What a rule for services may do twice when it is run twice; undefined for what may be run again. */
export function doneTwice({ kind, methods, name }: ServiceMatch): Doubt | undefined {
  switch (kind) {
    case 'http': {
      const unsafe = (methods ?? []).filter(method => UNSAFE_METHODS.has(method));
      return unsafe.length === 0
        ? undefined
        : { what: `${unsafe.join(' and ')} requests`, certain: true, unless: KEYED };
    }
    case 'database':
      return isOneOf(name, READING_SQL)
        ? undefined
        : { what: `database ${name ?? 'statements, writes among them'}`, certain: false, unless: READ };
    case 'kafka':
      return { what: 'messages to Kafka', certain: false };
    case 'redis':
      if (isOneOf(name, COUNTING_REDIS)) return { what: `Redis ${name}`, certain: true, unless: HARMLESS };
      return name === undefined || name === '*'
        ? { what: 'Redis commands, INCR and LPUSH among them', certain: false, unless: HARMLESS }
        : undefined;
    case 'grpc':
      return undefined;
  }
}

/** What would be done twice. */
export interface Doubt {
  readonly what: string;
  /** False where it depends on what is sent. */
  readonly certain: boolean;
  /** When register sends it again at all; undefined where it always does. */
  readonly unless?: string;
}

const KEYED = 'they have an Idempotency-Key';
const READ = 'they are plain reads, or the server has surely not carried them out';
const HARMLESS = 'a repeat does no harm, or the server has surely not carried them out';

/** Methods whose second run may do something else than the first. (Source: RFC 9110, 9.2.2; RFC 5789.) */
const UNSAFE_METHODS: ReadonlySet<string> = new Set(['POST', 'PATCH', 'CONNECT']);
const READING_SQL: ReadonlySet<string> = new Set(['SELECT', 'SHOW', 'EXPLAIN', 'CONNECT', 'PING']);
const COUNTING_REDIS: ReadonlySet<string> = new Set([
  'APPEND',
  'DECR',
  'DECRBY',
  'HINCRBY',
  'HINCRBYFLOAT',
  'INCR',
  'INCRBY',
  'INCRBYFLOAT',
  'LPOP',
  'LPUSH',
  'PUBLISH',
  'RPOP',
  'RPOPLPUSH',
  'RPUSH',
  'SPOP',
  'XADD',
  'ZINCRBY',
]);

/** A `*` at the end of a name stands for more than one command. */
function isOneOf(name: string | undefined, names: ReadonlySet<string>): boolean {
  return name !== undefined && names.has(name.toUpperCase().replace(/\*$/, ''));
}
