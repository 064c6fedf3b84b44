import { UsageError } from '../usage-error.ts';

/** What an address of Kafka says. */
export interface KafkaAddress {
  /** Undefined for the usual one. */
  readonly topic: string | undefined;
  /** What kafkajs is given. */
  readonly config: {
    readonly brokers: readonly string[];
    readonly ssl: boolean;
    readonly sasl?: { readonly mechanism: string; readonly username: string; readonly password: string };
  };
}

/**
 * Reads `kafka://user:password@host:port,host:port/topic?tls=true&sasl=scram-sha-256`; all but the hosts may be left out.
 *
 * @throws UsageError, with nothing of what was given
 */
export function readKafkaAddress(text: string): KafkaAddress {
  const [, user, password, hosts = '', topic, query = ''] =
    /^kafka:\/\/(?:([^:@/]*):([^@]*)@)?([^/?#@]+)(?:\/([\w.-]*))?(?:\?([^#]*))?$/i.exec(text) ?? [];
  const settings = new URLSearchParams(query);
  const { tls = 'false', sasl: mechanism = 'plain', ...unknown } = Object.fromEntries(settings);
  if (hosts === '' || !['true', 'false'].includes(tls) || !MECHANISMS.includes(mechanism) || hasOwn(unknown)) {
    throw new UsageError(`--store kafka: must be ${FORM}`);
  }
  const sasl =
    user === undefined || password === undefined
      ? undefined
      : { sasl: { mechanism, username: decoded(user), password: decoded(password) } };
  return {
    topic: topic === '' ? undefined : topic,
    config: { brokers: hosts.split(',').map(withPort), ssl: tls === 'true', ...sasl },
  };
}

const MECHANISMS: readonly string[] = ['plain', 'scram-sha-256', 'scram-sha-512'];
const FORM = `kafka://host:9092,host:9092/topic, with ?tls=true and &sasl=${MECHANISMS.join('|')} where needed`;

function withPort(host: string): string {
  return /:\d+$/.test(host) ? host : `${host}:9092`;
}

function hasOwn(settings: object): boolean {
  return Object.keys(settings).length > 0;
}

/** A percent sign of a password may stand for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
