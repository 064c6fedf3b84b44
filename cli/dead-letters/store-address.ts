import { UsageError } from '../usage-error.ts';

/** The environment variable that names the store where no option does: a password in it is in no list of processes. */
export const STORE_VARIABLE = 'RETRYSCOPE_DEAD_LETTERS';

/** Where letters are kept, as `--store` says it. */
export interface StoreAddress {
  readonly kind: (typeof STORE_KINDS)[number];
  /** What the client of this kind is given; it may hold a password. */
  readonly target: string;
  /** The same for people, without anything secret. */
  readonly shown: string;
}

/** The kinds of store that the command can open. */
export const STORE_KINDS = ['sqlite', 'postgres', 'redis', 'kafka'] as const;

/**
 * Reads `sqlite:FILE`, `postgres://…`, `redis://…` or `kafka://…`.
 *
 * @throws UsageError when it is none of them; nothing that was given is in its message
 */
export function readStoreAddress(text: string): StoreAddress {
  const [, scheme = '', rest = ''] = /^([a-z][a-z\d+.-]*):(.*)$/is.exec(text) ?? [];
  const kind = KINDS[scheme.toLowerCase()];
  if (kind === undefined) throw new UsageError(`--store must be ${FORMS}`);
  if (kind === 'sqlite') {
    const file = rest.startsWith('///') ? rest.slice(2) : rest;
    if (file === '' || file.includes('\0')) throw new UsageError('--store sqlite: needs a file: sqlite:FILE');
    return { kind, target: file, shown: `sqlite:${file}` };
  }
  // Kafka has several hosts in one address, which no URL may.
  const url = text.replace(/,[^/@]*(?=\/|$)/, '');
  if (!rest.startsWith('//') || !URL.canParse(url)) {
    throw new UsageError(`--store ${scheme.toLowerCase()}: needs an address: ${EXAMPLES[kind]}`);
  }
  return { kind, target: text, shown: shownAddress(text) };
}

const KINDS: Readonly<Record<string, StoreAddress['kind']>> = {
  sqlite: 'sqlite',
  postgres: 'postgres',
  postgresql: 'postgres',
  redis: 'redis',
  rediss: 'redis',
  kafka: 'kafka',
};
const EXAMPLES = {
  postgres: 'postgres://user@host/database',
  redis: 'redis://host:6379',
  kafka: 'kafka://host:9092',
} as const;
const FORMS = `sqlite:FILE, ${Object.values(EXAMPLES).join(', ')}`;

/** Credentials, and whatever else stands behind the path, are cut. */
function shownAddress(text: string): string {
  const [, scheme = '', rest = ''] = /^([a-z]+:)\/\/(.*)$/is.exec(text) ?? [];
  const end = rest.search(/[?#]/);
  const path = end < 0 ? rest : rest.slice(0, end);
  // A question mark may belong to a password, and a slash as well.
  const isClear = end < 0 || !rest.slice(end).includes('@');
  return `${scheme.toLowerCase()}//${isClear ? path.slice(path.lastIndexOf('@') + 1) : '…'}`;
}
