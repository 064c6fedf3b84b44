import type { ServiceMatch } from 'retryscope/policy-file';
import type { FileView, ServiceEntry } from '../file-view.ts';
import type { Rule } from '../finding.ts';

/** Rules by which nothing is ever retried. */
export const neverApplied: Rule<FileView> = {
  code: 'never-applied',
  severity: 'warning',
  why: 'Its calls run as if there were no rule: nothing is retried, although it looks as if it were.',
  fix: 'Take the rule out.',
  find: ({ services }) =>
    services.flatMap(service => {
      const reason = whyNever(service);
      return reason === undefined ? [] : [{ where: service.where, ...reason }];
    }),
};

/** Why `retryscope/register` never applies a rule, and what helps; undefined for one that it does. */
export function whyNever({ match, policy }: Pick<ServiceEntry, 'match' | 'policy'>): Reason | undefined {
  if (match.kind === 'grpc') {
    return {
      what: 'retryscope/register applies no rules of kind grpc.',
      fix: 'Give the client grpcRetryInterceptor of retryscope/grpc, and take the rule out.',
    };
  }
  if (match.kind === 'database' && policy.options.hedge !== undefined) {
    return {
      what: `A statement is never hedged, and a rule whose policy has a hedge is left out as a whole (${policy.where}).`,
      fix: 'Take hedge out of this policy, or give the rule a policy of its own.',
    };
  }
  return unheardName(match);
}

/** What is wrong with a rule, and what helps. */
export interface Reason {
  readonly what: string;
  readonly fix: string;
}

function unheardName({ kind, name }: ServiceMatch): Reason | undefined {
  if (name === undefined || (kind !== 'redis' && kind !== 'database')) return undefined;
  if (/\s/.test(name)) {
    return {
      what: 'Its name has a space in it, and a command or statement goes by its first word.',
      fix: 'Name the first word alone, such as SELECT.',
    };
  }
  if (kind === 'redis' && OF_CONNECTIONS.has(name.toUpperCase())) {
    return {
      what: `${name.toUpperCase()} belongs to its connection, and is never retried by itself.`,
      fix: 'Take the rule out; retry a transaction as a whole, by retryRedis.',
    };
  }
  return undefined;
}

/** Commands that mean something to the connection alone over which they are sent. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  'AUTH',
  'CLIENT',
  'DISCARD',
  'EXEC',
  'HELLO',
  'MONITOR',
  'MULTI',
  'PSUBSCRIBE',
  'PUNSUBSCRIBE',
  'QUIT',
  'RESET',
  'SELECT',
  'SSUBSCRIBE',
  'SUBSCRIBE',
  'SUNSUBSCRIBE',
  'UNSUBSCRIBE',
  'UNWATCH',
  'WATCH',
]);
