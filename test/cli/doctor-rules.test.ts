import fc from 'fast-check';
import { viewFile } from '../../cli/doctor/file-view.ts';
import { examine } from '../../cli/doctor/finding.ts';
import { viewMetrics } from '../../cli/doctor/metrics-view.ts';
import { parseMetrics } from '../../cli/doctor/parse-metrics.ts';
import { covers } from '../../cli/doctor/rules/unreachable-rule.ts';
import { ALERT_RULES, FILE_RULES, METRICS_RULES } from '../../cli/doctor/rules.ts';
import { type DashboardsConfig, resolveConfig } from '../../dashboards/src/config.ts';
import type { ServiceCall, ServiceMatch } from '../../src/services/policy-file/index.ts';
import { Policies } from '../../src/services/policy-file/policies.ts';
import { matches } from '../../src/services/policy-file/service-rule.ts';
import { startCpuTimer } from '../engine/support/cpu-timer.ts';

const alerts = resolveConfig();

/** What the rules find in a file, as `severity code where: what`. */
const inFile = (file: object, config: DashboardsConfig = alerts): string[] => {
  // What the reader refuses is no sample.
  const { settings } = new Policies('file', file as Record<string, unknown>);
  return examine(FILE_RULES, viewFile(settings, { callerTimeoutMs: 30_000, alerts: config })).map(
    ({ severity, code, where, what }) => `${severity} ${code} ${where}: ${what}`,
  );
};
const withCode = (found: readonly string[], code: string): string[] =>
  found.filter(each => each.split(' ')[1] === code).map(each => each.replace(` ${code}`, ''));

const budgets = { users: { ratio: 0.15, capacity: 20 } };
const LIMITED = { attemptTimeout: 1000, maxElapsed: 10_000, budget: 'users' };
const policy = (options: object): object => ({ budgets, operations: { a: { ...LIMITED, ...options } } });
const budget = (settings: object): object => ({
  budgets: { b: settings },
  operations: { a: { ...LIMITED, budget: 'b' } },
});
const breaker = (settings: object, options: object = {}): object => ({
  budgets,
  breakers: { b: settings },
  operations: { a: { ...LIMITED, breaker: 'b', ...options } },
});
const service = (rule: object, options: object = {}): object => ({
  budgets,
  services: [{ policy: { ...LIMITED, ...options }, ...rule }],
});
const unlimited = { attemptTimeout: undefined, maxElapsed: undefined };
const plain = (file: object): object => JSON.parse(JSON.stringify(file)) as object;

/** For each rule: files in which it finds something, and what; and files in which it finds nothing. */
const FILES: Readonly<Record<string, { fires: readonly [object, string][]; silent: readonly object[] }>> = {
  'no-cap': {
    fires: [
      [
        policy({ maxAttempts: 12, maxDelay: 3_600_000 }),
        'error operations.a: One wait can take 25.6 min; maxDelay is 60 min.',
      ],
      [
        policy({ backoff: [1000, 600_000], maxDelay: 900_000 }),
        'error operations.a: One wait can take 15 min; maxDelay is 15 min.',
      ],
      [
        policy({ maxDelay: 3_600_000 }),
        'warning operations.a: maxDelay is 60 min, and a server that sends Retry-After may ask for all of it.',
      ],
    ],
    silent: [
      policy({ maxAttempts: 12 }),
      policy({ maxDelay: 3_600_000, retryAfter: false }),
      policy({ maxAttempts: 1, maxDelay: 3_600_000 }),
    ],
  },
  'unbounded-attempts': {
    fires: [
      [
        plain(policy({ maxAttempts: 1_000_000, maxElapsed: undefined })),
        'error operations.a: It allows 1,000,000 attempts, and maxElapsed is not set; above 20 it is no limit.',
      ],
    ],
    silent: [policy({ maxAttempts: 1_000_000 }), plain(policy({ maxAttempts: 20, maxElapsed: undefined }))],
  },
  'no-jitter': {
    fires: [[policy({ jitter: false }), 'warning operations.a: jitter is off.']],
    silent: [
      policy({}),
      policy({ jitter: 'full' }),
      policy({ jitter: false, maxAttempts: 1 }),
      policy({ jitter: false, initialDelay: 0 }),
    ],
  },
  'no-delay': {
    fires: [
      [policy({ initialDelay: 0 }), 'warning operations.a: Retries follow at once.'],
      [policy({ maxDelay: 0 }), 'warning operations.a: Retries follow at once.'],
      [policy({ backoff: [0] }), 'warning operations.a: Retries follow at once.'],
    ],
    silent: [policy({ initialDelay: 1 }), policy({ backoff: [0, 100] }), policy({ maxAttempts: 1, initialDelay: 0 })],
  },
  'retry-on-everything': {
    fires: [
      [policy({ retryOn: 'Error' }), 'warning operations.a: retryOn has Error.'],
      [
        policy({ retryOn: ['ECONNRESET', 'TypeError', 'EACCES'] }),
        'warning operations.a: retryOn has TypeError and EACCES.',
      ],
    ],
    silent: [policy({}), policy({ retryOn: ['ECONNRESET'] }), policy({ retryOn: 'Error', maxAttempts: 1 })],
  },
  'retry-on-nothing': {
    fires: [
      [policy({ retryOn: [] }), 'warning operations.a: retryOn is an empty list.'],
      [policy({ retryOn: '*' }), 'warning operations.a: retryOn has only *.'],
      [policy({ retryOn: ['5xx', '503'] }), 'warning operations.a: retryOn has only 5xx and 503.'],
    ],
    silent: [policy({}), policy({ retryOn: ['503', 'ECONNRESET'] }), policy({ retryOn: [], maxAttempts: 1 })],
  },
  'retry-not-idempotent': {
    fires: [
      [
        service({ kind: 'kafka', name: 'orders' }),
        'warning services[0]: Messages to Kafka are made up to 3 times (services[0]).',
      ],
    ],
    silent: [
      service({ kind: 'http', methods: ['GET', 'POST'] }),
      service({ kind: 'database' }),
      service({ kind: 'redis', name: 'INCR' }),
      service({ kind: 'grpc' }),
      service({ kind: 'kafka' }, { maxAttempts: 1 }),
    ],
  },
  'sent-once': {
    fires: [
      [
        service({ kind: 'http', methods: ['GET', 'POST', 'PATCH'] }),
        'info services[0]: POST and PATCH requests are sent once unless they have an Idempotency-Key (services[0]).',
      ],
      [
        service({ kind: 'redis', name: 'INCR' }),
        'info services[0]: Redis INCR are sent once unless a repeat does no harm, or the server has surely not carried them out (services[0]).',
      ],
      [
        service({ kind: 'redis', name: 'INCR' }, { hedge: 100 }),
        'info services[0]: Redis INCR are sent once unless a repeat does no harm, or the server has surely not carried them out, and what is sent once is not hedged (services[0]).',
      ],
      [
        service({ kind: 'http', methods: ['POST'] }, { hedge: 100 }),
        'info services[0]: POST requests are sent once unless they have an Idempotency-Key, and what is sent once is not hedged (services[0]).',
      ],
      [
        service({ kind: 'redis' }),
        'info services[0]: Redis commands, INCR and LPUSH among them are sent once unless a repeat does no harm, or the server has surely not carried them out (services[0]).',
      ],
      [
        service({ kind: 'database', name: 'INSERT' }),
        'info services[0]: Database INSERT are sent once unless they are plain reads, or the server has surely not carried them out (services[0]).',
      ],
    ],
    silent: [
      service({ kind: 'http' }),
      service({ kind: 'http', methods: ['GET', 'PUT', 'DELETE'] }),
      service({ kind: 'http', methods: ['POST'] }, { maxAttempts: 1 }),
      service({ kind: 'database', name: 'SELECT' }),
      service({ kind: 'database', name: 'INSERT' }, { hedge: 100 }),
      service({ kind: 'redis', name: 'GET' }),
      service({ kind: 'kafka' }),
      service({ kind: 'grpc' }),
    ],
  },
  'hedge-not-idempotent': {
    fires: [
      [service({ kind: 'kafka' }, { hedge: 100 }), 'warning services[0]: It hedges messages to Kafka (services[0]).'],
    ],
    silent: [
      service({ kind: 'redis', name: 'INCR' }, { hedge: 100 }),
      service({ kind: 'database' }, { hedge: 100 }),
      service({ kind: 'kafka' }, { hedge: 100, maxAttempts: 1 }),
      service({ kind: 'http', methods: ['GET'] }, { hedge: 100 }),
      service({ kind: 'http', methods: ['POST'] }, { hedge: 100 }),
      service({ kind: 'kafka' }),
    ],
  },
  'hedge-too-early': {
    fires: [
      [policy({ hedge: 0 }), 'warning operations.a: The second attempt starts after 0 ms.'],
      [
        plain(policy({ hedge: 100, budget: undefined })),
        'warning operations.a: It hedges after 100 ms without a budget.',
      ],
      [
        plain({
          policies: { p: { ...LIMITED, hedge: 100, budget: undefined } },
          operations: { a: 'p' },
          services: [{ kind: 'http', policy: 'p' }],
        }),
        'warning policies.p: It hedges after 100 ms without a budget.',
      ],
      [
        plain({ policies: { p: { ...LIMITED, hedge: 100, budget: undefined } } }),
        'warning policies.p: It hedges after 100 ms without a budget.',
      ],
    ],
    silent: [
      policy({}),
      policy({ hedge: 100 }),
      plain(service({ kind: 'http' }, { hedge: 100, budget: undefined })),
      plain({
        policies: { p: { ...LIMITED, hedge: 100, budget: undefined } },
        services: [{ kind: 'http', policy: 'p' }],
      }),
    ],
  },
  'nested-both': {
    fires: [
      [policy({ nested: 'both' }), 'warning operations.a: nested is both, with 3 attempts.'],
      [
        { ...policy({ nested: 'both' }), ...{ services: [{ kind: 'http', policy: LIMITED }] } },
        'warning operations.a: nested is both, with 3 attempts.',
      ],
    ],
    silent: [policy({}), policy({ nested: 'outer' }), policy({ nested: 'both', maxAttempts: 1 })],
  },
  'two-layers': {
    fires: [
      [
        { ...policy({}), services: [{ kind: 'http', policy: LIMITED }] },
        'info operations, services: What operations.a calls is not retried by services[0].',
      ],
      [
        { ...policy({ nested: 'outer' }), services: [{ kind: 'http', policy: LIMITED }] },
        'info operations, services: What operations.a calls is not retried by services[0].',
      ],
    ],
    silent: [
      policy({}),
      service({ kind: 'http' }),
      { ...policy({}), services: [{ kind: 'http', policy: { maxAttempts: 1 } }] },
      { ...policy({ maxAttempts: 1 }), services: [{ kind: 'http', policy: LIMITED }] },
      { ...policy({}), services: [{ kind: 'grpc', policy: LIMITED }] },
    ],
  },
  'never-applied': {
    fires: [
      [service({ kind: 'grpc' }), 'warning services[0]: retryscope/register applies no rules of kind grpc.'],
      [
        service({ kind: 'database', name: 'SELECT' }, { hedge: 100 }),
        'warning services[0]: A statement is never hedged, and a rule whose policy has a hedge is left out as a whole (services[0]).',
      ],
      [
        service({ kind: 'database', name: 'SELECT *' }),
        'warning services[0]: Its name has a space in it, and a command or statement goes by its first word.',
      ],
      [
        service({ kind: 'redis', name: 'multi' }),
        'warning services[0]: MULTI belongs to its connection, and is never retried by itself.',
      ],
    ],
    silent: [
      service({ kind: 'http' }, { hedge: 100 }),
      service({ kind: 'redis', name: 'GET' }, { hedge: 100 }),
      service({ kind: 'database', name: 'SELECT' }),
      service({ kind: 'kafka', name: 'orders' }),
    ],
  },
  'operation-twice': {
    fires: [
      [
        { ...policy({}), services: [{ kind: 'http', operation: 'a', policy: LIMITED }] },
        'warning services[0]: Operation a is that of operations.a, too.',
      ],
      [
        {
          budgets,
          policies: { p: LIMITED },
          operations: { a: 'p' },
          services: [{ kind: 'http', operation: 'a', policy: 'p' }],
        },
        'warning services[0]: Operation a is that of operations.a, too.',
      ],
      [
        {
          budgets,
          services: [
            { kind: 'http', host: 'a', operation: 'x', policy: LIMITED },
            { kind: 'http', host: 'b', policy: { ...LIMITED, operation: 'x' } },
          ],
        },
        'warning services[1]: Operation x is that of services[0], too.',
      ],
    ],
    silent: [
      { ...policy({}), services: [{ kind: 'http', operation: 'b', policy: LIMITED }] },
      {
        budgets,
        policies: { p: LIMITED },
        services: [
          { kind: 'http', host: 'a', operation: 'x', policy: 'p' },
          { kind: 'http', host: 'b', operation: 'x', policy: 'p' },
        ],
      },
    ],
  },
  'unreachable-rule': {
    fires: [
      [
        {
          budgets,
          policies: { p: LIMITED },
          services: [
            { kind: 'http', host: '*.internal', policy: 'p' },
            { kind: 'http', host: 'users.internal', methods: ['GET'], policy: 'p' },
          ],
        },
        'warning services[1]: Every call that it fits fits services[0] as well.',
      ],
      [
        {
          budgets,
          policies: { p: LIMITED },
          services: [
            { kind: 'redis', name: 'H*', policy: 'p' },
            { kind: 'redis', name: 'hget', policy: 'p' },
          ],
        },
        'warning services[1]: Every call that it fits fits services[0] as well.',
      ],
    ],
    silent: [
      {
        budgets,
        policies: { p: LIMITED },
        services: [
          { kind: 'kafka', name: 'Orders*', policy: 'p' },
          { kind: 'kafka', name: 'orders-eu', policy: 'p' },
        ],
      },
      {
        budgets,
        policies: { p: LIMITED },
        services: [
          { kind: 'http', host: 'users.internal', methods: ['GET'], policy: 'p' },
          { kind: 'http', host: '*.internal', policy: 'p' },
          { kind: 'redis', policy: 'p' },
        ],
      },
    ],
  },
  'floor-per-process': {
    fires: [
      [
        budget({ kind: 'window', minPerSecond: 10 }),
        'error budgets.b: It always grants 10 retries a second in each process: 1,000 in a hundred.',
      ],
      [
        budget({ kind: 'window', minPerSecond: 0.5 }),
        'warning budgets.b: It always grants 0.5 retries a second in each process: 50 in a hundred.',
      ],
    ],
    silent: [budget({ kind: 'window' }), budget({ kind: 'success' })],
  },
  'calls-pay': {
    fires: [[budget({ kind: 'window' }), 'info budgets.b: Its kind is window.']],
    silent: [budget({}), budget({ kind: 'grpc' })],
  },
  'large-budget': {
    fires: [
      [budget({ capacity: 500 }), 'warning budgets.b: A full one grants 500 retries in a row to each process.'],
      [budget({ kind: 'aws-classic' }), 'warning budgets.b: A full one grants 100 retries in a row to each process.'],
      [budget({ cost: 0 }), 'warning budgets.b: A full one grants Infinity retries in a row to each process.'],
    ],
    silent: [
      budget({}),
      budget({ kind: 'aws', cost: 14 }),
      budget({ kind: 'grpc', maxTokens: 100 }),
      budget({ kind: 'window', minPerSecond: 100 }),
      budget({ capacity: 500, cost: 10 }),
    ],
  },
  'generous-budget': {
    fires: [
      [budget({ ratio: 1 }), 'error budgets.b: It grants 1 retries for each call.'],
      [budget({ ratio: 0.5 }), 'warning budgets.b: It grants 0.5 retries for each call.'],
      [budget({ kind: 'window', ratio: 2 }), 'error budgets.b: It grants 2 retries for each call.'],
      [
        budget({ ratio: 0.2, cost: { transient: 1, throttled: 0.1 } }),
        'error budgets.b: It grants 2 retries for each call.',
      ],
    ],
    silent: [budget({}), budget({ ratio: 2, cost: 10 }), budget({ kind: 'aws' })],
  },
  'unreachable-budget': {
    fires: [
      [budget({ capacity: 2, cost: 5 }), 'error budgets.b: It holds 2 tokens, and the cheapest retry costs 5.'],
      [budget({ capacity: 0 }), 'error budgets.b: It holds 0 tokens, and the cheapest retry costs 1.'],
      [budget({ kind: 'aws', capacity: 4 }), 'error budgets.b: It holds 4 tokens, and the cheapest retry costs 5.'],
      [
        budget({ ratio: 0 }),
        'error budgets.b: ratio is 0: once its 10 tokens are spent, there is no retry until the process ends.',
      ],
      [budget({ kind: 'window', ratio: 0 }), 'error budgets.b: Neither ratio nor minPerSecond brings any tokens.'],
      [budget({ kind: 'aws', capacity: 10 }), 'warning budgets.b: It holds 10 tokens, and the dearest retry costs 14.'],
      [budget({ initial: 0 }), 'warning budgets.b: It starts with no tokens: nothing is retried in the first minutes.'],
    ],
    silent: [
      budget({}),
      budget({ kind: 'window' }),
      budget({ kind: 'window', ratio: 0, minPerSecond: 1 }),
      budget({ kind: 'grpc', maxTokens: 1 }),
      budget({ kind: 'aws-classic' }),
    ],
  },
  'no-budget': {
    fires: [
      [plain(policy({ budget: undefined })), 'warning operations.a: Up to 3 attempts for each call, and no budget.'],
    ],
    silent: [
      policy({}),
      plain(policy({ budget: undefined, maxAttempts: 1 })),
      plain(service({ kind: 'http' }, { budget: undefined })),
    ],
  },
  unused: {
    fires: [
      [
        { budgets, operations: { a: { ...LIMITED, budget: 'users' } }, bulkheads: { idle: { limit: 1 } } },
        'warning bulkheads.idle: No policy names it.',
      ],
      [{ budgets, policies: { idle: LIMITED } }, 'info policies.idle: No operation and no rule has it.'],
    ],
    silent: [policy({})],
  },
  'same-label': {
    fires: [
      [
        {
          budgets: { a: { name: 'x' }, x: {} },
          operations: { a: { ...LIMITED, budget: 'a' }, b: { ...LIMITED, budget: 'x' } },
        },
        'warning budgets.x: Its name is x, as is that of budgets.a.',
      ],
    ],
    silent: [{ budgets: { a: {}, x: {} }, breakers: { a: {} } }],
  },
  'breaker-never-opens': {
    fires: [
      [
        breaker({ trip: { kind: 'time', windowMs: 1000, minimum: 5000 } }),
        'warning breakers.b: It takes 5,000 attempts within 1 s: 5,000 a second in this process.',
      ],
      [
        breaker({ trip: { kind: 'consecutive', failures: 1000 } }),
        'warning breakers.b: It takes 1,000 failures in a row; one success starts anew.',
      ],
      [
        breaker({ trip: { kind: 'count', size: 5000 } }),
        'warning breakers.b: It takes 5,000 attempts before it counts.',
      ],
      [
        breaker({ trip: { kind: 'count', failureRatio: 1 } }),
        'warning breakers.b: It takes 100 % failures of 100 attempts; an outage that lets a few through does not count.',
      ],
    ],
    silent: [
      breaker({}),
      breaker({ trip: { kind: 'count' } }),
      breaker({ trip: { kind: 'time' } }),
      breaker({ trip: { kind: 'count', size: 10, failureRatio: 1 } }),
    ],
  },
  'breaker-opens-at-once': {
    fires: [
      [
        breaker({}, { maxAttempts: 5 }),
        'warning operations.a: breakers.b opens after 5 failures in a row, and one call makes up to 5 attempts.',
      ],
      [
        breaker({ trip: { kind: 'consecutive', failures: 1 } }),
        'warning operations.a: breakers.b opens after 1 failures in a row, and one call makes up to 3 attempts.',
      ],
    ],
    silent: [
      breaker({}),
      breaker({ trip: { kind: 'time' } }, { maxAttempts: 9 }),
      breaker({ trip: { kind: 'consecutive', failures: 1 } }, { maxAttempts: 1 }),
    ],
  },
  'breaker-waits': {
    fires: [
      [
        plain(breaker({ whenOpen: 'wait' }, { maxElapsed: undefined })),
        'warning operations.a: It waits 30 s and longer for breakers.b, and maxElapsed is not set.',
      ],
    ],
    silent: [breaker({ whenOpen: 'wait' }), plain(breaker({}, { maxElapsed: undefined }))],
  },
  'no-time-to-retry': {
    fires: [
      [
        policy({ initialDelay: 2000, maxElapsed: 1000 }),
        'error operations.a: maxElapsed is 1 s, and the first delay at least 1 s: nothing is ever retried.',
      ],
      [
        policy({ initialDelay: 1000, maxElapsed: 1000, jitter: false }),
        'error operations.a: maxElapsed is 1 s, and the first delay at least 1 s: nothing is ever retried.',
      ],
      [
        policy({ backoff: [5000], maxElapsed: 1000 }),
        'error operations.a: maxElapsed is 1 s, and the first delay at least 2.5 s: nothing is ever retried.',
      ],
      [
        policy({ attemptTimeout: 10_000 }),
        'warning operations.a: One attempt may take 10 s, and the whole call 10 s: what times out is never retried.',
      ],
      [
        policy({ attemptTimeout: 4000 }),
        'warning operations.a: 3 attempts of 4 s take 12 s without their delays; maxElapsed is 10 s.',
      ],
      [
        plain(policy({ attemptTimeout: undefined, maxElapsed: 1200 })),
        'warning operations.a: maxElapsed is 1.2 s, and the first delay may be longer.',
      ],
    ],
    silent: [
      policy({}),
      policy({ maxElapsed: 5000 }),
      policy({ maxAttempts: 1, attemptTimeout: 20_000 }),
      policy({ jitter: 'full', initialDelay: 3000 }),
      plain(policy({ maxElapsed: undefined })),
    ],
  },
  'no-time-limit': {
    fires: [[plain(policy(unlimited)), 'warning operations.a: Neither attemptTimeout nor maxElapsed is set.']],
    silent: [policy({}), plain(policy({ maxElapsed: undefined })), plain(policy({ attemptTimeout: undefined }))],
  },
  'longer-than-callers': {
    fires: [
      [
        plain(policy({ ...unlimited, maxAttempts: 5 })),
        'warning operations.a: A call can take 47.5 s with attempts of 5 s; callers wait 30 s.',
      ],
      [
        plain(policy({ attemptTimeout: 20_000, maxElapsed: undefined })),
        'warning operations.a: A call can take 64.5 s; callers wait 30 s.',
      ],
    ],
    silent: [
      policy({}),
      plain(policy(unlimited)),
      policy({ maxAttempts: 5, attemptTimeout: 20_000 }),
      plain(policy({ maxAttempts: 1, attemptTimeout: 60_000, maxElapsed: undefined })),
    ],
  },
  'hint-ignored': {
    fires: [[policy({ retryAfter: false }), 'warning operations.a: retryAfter is off.']],
    silent: [policy({}), policy({ retryAfter: false, maxAttempts: 1 })],
  },
  'unreachable-alert': {
    fires: [
      [
        policy({ maxAttempts: 2 }),
        'info operations.a: RetryStorm needs more than 2 attempts per call, and there are at most 2.',
      ],
      [
        budget({}),
        'info operations.a: budgets.b grants 0.1 retries per call in the long run; the burn alerts that page need 1h (0.288) and 6h (0.12).',
      ],
    ],
    silent: [policy({}), policy({ maxAttempts: 1 }), budget({ kind: 'aws' }), plain(policy({ budget: undefined }))],
  },
};

describe('in a policy file', () => {
  it('every rule has a sample that fires and one that stays silent', () => {
    expect(Object.keys(FILES).sort()).toEqual(FILE_RULES.map(({ code }) => code).sort());
    for (const { fires, silent } of Object.values(FILES)) {
      expect(fires.length).toBeGreaterThan(0);
      expect(silent.length).toBeGreaterThan(0);
    }
  });

  it.each(
    Object.entries(FILES).flatMap(([code, { fires }]) => fires.map(([file, what]) => [code, what, file] as const)),
  )('%s finds: %s', (code, what, file) => {
    expect(withCode(inFile(plain(file)), code)).toContain(what);
  });

  it.each(
    Object.entries(FILES).flatMap(([code, { silent }]) =>
      silent.map(file => [code, JSON.stringify(file), file] as const),
    ),
  )('%s finds nothing in %s', (code, _shown, file) => {
    expect(withCode(inFile(plain(file)), code)).toEqual([]);
  });

  it('alerts of a configuration of their own are looked at', () => {
    const strict = { ...alerts, objective: 0.2 };
    expect(withCode(inFile(policy({ maxAttempts: 3 }), strict), 'unreachable-alert')).toContain(
      'error operations.a: RetryBudgetBurn over 1h (2.88) needs more retries per call than the 2 that 3 attempts allow.',
    );
    expect(withCode(inFile(policy({ maxAttempts: 4 }), strict), 'unreachable-alert')).not.toContainEqual(
      expect.stringMatching(/^error/),
    );
  });

  it('a rule that another covers is one that fits no call which the other does not', () => {
    const host = fc.constantFrom(undefined, 'a.b', 'c.a.b', '*.a.b', '*.b', 'a.b:1', 'A.B');
    const route = fc.constantFrom(undefined, '/', '/a', '/:id', '/{id}', '/*', '/a/*', '/a/:id', '/a/b');
    const methods = fc.constantFrom(undefined, ['GET'], ['PUT'], ['GET', 'PUT']);
    const name = fc.constantFrom(undefined, 'a', 'a*', 'ab*', '*', 'AB');
    const some = (terms: object): object =>
      Object.fromEntries(Object.entries(terms).filter(([, v]) => v !== undefined));
    const rule = fc
      .record({ kind: fc.constantFrom('http', 'redis'), host, route, methods, name })
      .map(terms => some(terms) as ServiceMatch);
    const calls = ['a.b', 'c.a.b', 'd.b', 'a.b:1', 'a.b:2'].flatMap(each =>
      ['/', '/a', '/x', '/a/b', '/a/x', '/a/b/c'].flatMap(path =>
        ['GET', 'PUT', 'POST'].flatMap(method =>
          ['a', 'ab', 'abc', 'x', 'AB'].map(word => ({ host: each, path, method, name: word })),
        ),
      ),
    );
    fc.assert(
      fc.property(rule, rule, (wide, narrow) => {
        if (!covers(wide, narrow)) return;
        for (const each of calls) {
          const call: ServiceCall = { kind: narrow.kind, ...each };
          if (matches(narrow, call))
            expect({ wide, narrow, call, fits: matches(wide, call) }).toMatchObject({ fits: true });
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('in the configuration of alerts', () => {
  it('thresholds that nothing reaches are found', () => {
    const find = (config: Partial<DashboardsConfig>): string[] =>
      examine(ALERT_RULES, { ...alerts, ...config }).map(({ code, where, what }) => `${code} ${where}: ${what}`);
    expect(find({})).toEqual([]);
    expect(find({ objective: 0.2 })).toEqual([
      'unreachable-threshold windows[0].factor: 14.4 times 0.2 is 2.88 retries per call; 3 attempts allow 2.',
    ]);
    expect(find({ stormAmplification: 4 })).toEqual([
      'unreachable-threshold stormAmplification: It is 4, and no call makes more than 3 attempts.',
    ]);
  });
});

const HEALTHY = `# TYPE retryscope_info gauge
retryscope_info{version="1.0.0"} 1
retry_calls_total{operation="load_user",outcome="success"} 900
retry_calls_total{operation="load_user",outcome="attempts_exhausted"} 0
retry_attempts_total{operation="load_user",result="success"} 900
retry_attempts_total{operation="load_user",result="failure",error_type="503"} 90
retry_retries_total{operation="load_user",delay_source="backoff"} 90
retry_call_duration_seconds_bucket{operation="load_user",result="success",le="+Inf"} 900
retry_attempt_duration_seconds_bucket{operation="load_user",result="success",le="+Inf"} 900
retry_delay_seconds_bucket{operation="load_user",le="120"} 90
retry_delay_seconds_bucket{operation="load_user",le="+Inf"} 90
retry_call_attempts_bucket{operation="load_user",result="success",le="+Inf"} 900
retry_objective_ratio{operation="load_user"} 0.02
retry_budget_capacity{budget="users"} 20
retry_budget_tokens{budget="users"} 20
retry_budget_mode{budget="users",mode="degraded"} 0
retry_budget_mode{budget="users",mode="local"} 1
retry_budget_withdrawals_total{budget="users",decision="granted"} 90
retry_budget_withdrawals_total{budget="users",decision="denied"} 30
circuit_breaker_state{breaker="users",state="forced_open"} 0
retry_nested_suppressed_total{operation="load_user"} 0
retry_late_results_total{operation="load_user",result="success"} 0
retry_telemetry_errors_total{source="hook"} 0
retry_overflow_total{source="limit"} 0
`;

const inMetrics = (text: string, file?: object): string[] =>
  examine(
    METRICS_RULES,
    viewMetrics(parseMetrics(text), {
      alerts,
      file:
        file === undefined ? undefined : viewFile(file as Record<string, unknown>, { callerTimeoutMs: 30_000, alerts }),
    }),
  ).map(({ severity, code, where, what }) => `${severity} ${code} ${where}: ${what}`);

/** What is added to healthy metrics, or taken away from them, and what is found then. */
const METRICS: readonly (readonly [add: string, without: RegExp | undefined, found: string, file?: object])[] = [
  ['', /^.*/gm, 'error no-metrics retryscope_info: It is not among the 0 names that are there.'],
  ['node_info 1', /^.*/gm, 'error no-metrics retryscope_info: It is not among the 1 names that are there.'],
  [
    'retry_retries_total{delay_source="backoff"} 1',
    undefined,
    'error missing-labels retry_retries_total: There is no label operation.',
  ],
  [
    'circuit_breaker_state 1',
    undefined,
    'error missing-labels circuit_breaker_state: There is no label breaker and state.',
  ],
  [
    '',
    /^retry_(objective|call_attempts).*\n/gm,
    'warning missing-families retry_calls_total: It is there, and retry_call_attempts and retry_objective_ratio not.',
  ],
  [
    'retry_overflow_total{source="operation"} 3',
    undefined,
    'warning overflow retry_overflow_total{source="operation"}: 3 records had no room.',
  ],
  [
    'retry_telemetry_errors_total{source="predicate"} 1',
    undefined,
    'warning telemetry-errors retry_telemetry_errors_total{source="predicate"}: 1 fault of predicate.',
  ],
  [
    'retry_budget_mode{budget="fleet",mode="degraded"} 1',
    undefined,
    'warning budget-degraded retry_budget_mode{budget="fleet",mode="degraded"}: It cannot reach its Redis.',
  ],
  [
    'retry_budget_withdrawals_total{budget="x",decision="denied"} 20',
    undefined,
    'error budget-never-grants retry_budget_withdrawals_total{budget="x"}: It said no 20 times, and never yes.',
  ],
  [
    'retry_calls_total{operation="anonymous",outcome="success"} 5',
    undefined,
    'warning operation-name retry_calls_total{operation="anonymous"}: 5 calls under this name.',
  ],
  [
    'retry_calls_total{operation="other",outcome="success"} 1',
    undefined,
    'warning operation-name retry_calls_total{operation="other"}: 1 call under this name.',
  ],
  [
    Array.from({ length: 101 }, (_, i) => `retry_calls_total{operation="a${i}",outcome="success"} 1`).join('\n'),
    undefined,
    'warning many-operations retry_calls_total: There are 102 operations.',
  ],
  [
    [111, 222, 333].map(i => `retry_calls_total{operation="get_user_${i}",outcome="success"} 1`).join('\n'),
    undefined,
    'warning many-operations retry_calls_total: Operations look as if they had ids in them: get_user_111, get_user_222 and get_user_333.',
  ],
  [
    'retry_nested_suppressed_total{operation="outer"} 7',
    undefined,
    'warning nested-retries retry_nested_suppressed_total{operation="outer"}: 7 calls had been retried by a layer below.',
  ],
  [
    '',
    /^retry_budget.*\n/gm,
    'warning retries-without-budget retry_budget_capacity: There is no budget, and there were 90 retries.',
  ],
  [
    'retry_calls_total{operation="x",outcome="attempts_exhausted"} 100\nretry_attempts_total{operation="x",result="failure",error_type="Error"} 300',
    undefined,
    'warning amplification retry_attempts_total{operation="x"}: 3 attempts for each of 100 calls, since the process started.',
  ],
  [
    'retry_late_results_total{operation="x",result="failure"} 2',
    undefined,
    'warning late-results retry_late_results_total{operation="x"}: 2 attempts settled after the call had stopped waiting.',
  ],
  [
    'retry_delay_seconds_bucket{operation="x",le="120"} 3\nretry_delay_seconds_bucket{operation="x",le="+Inf"} 5',
    undefined,
    'warning long-waits retry_delay_seconds{operation="x"}: 2 waits of more than 120 s.',
  ],
  [
    'circuit_breaker_state{breaker="x",state="forced_open"} 1',
    undefined,
    'warning breaker-forced-open circuit_breaker_state{breaker="x",state="forced_open"}: It was opened by hand.',
  ],
  [
    'retry_objective_ratio{operation="x"} 0.2',
    undefined,
    'error unreachable-burn retry_objective_ratio{operation="x"}: It is 0.2: RetryBudgetBurn over 1h (2.88) needs more retries per call than the 2 that there can be.',
    { operations: { x: { maxAttempts: 3 } } },
  ],
  [
    `retry_objective_ratio{operation="x"} 0.2
retry_calls_total{operation="x",outcome="attempts_exhausted"} 1
retry_call_attempts_bucket{operation="x",result="failure",le="2"} 0
retry_call_attempts_bucket{operation="x",result="failure",le="3"} 1
retry_call_attempts_bucket{operation="x",result="failure",le="+Inf"} 1`,
    undefined,
    'error unreachable-burn retry_objective_ratio{operation="x"}: It is 0.2: RetryBudgetBurn over 1h (2.88) needs more retries per call than the 2 that there can be.',
  ],
  [
    '',
    undefined,
    'info unseen-operation operations.x: The metrics have no operation x.',
    { operations: { x: {}, load_user: {} } },
  ],
];

describe('in the metrics of a process', () => {
  it('every rule has a sample, and healthy metrics none of them', () => {
    expect(inMetrics(HEALTHY)).toEqual([]);
    expect(inMetrics(HEALTHY, { operations: { load_user: {} } })).toEqual([]);
    expect(new Set(METRICS.map(([, , found]) => found.split(' ')[1] ?? ''))).toEqual(
      new Set(METRICS_RULES.map(({ code }) => code)),
    );
  });

  it.each(METRICS.map(([add, without, found, file]) => ({ add, without, found, file })))(
    'finds: $found',
    ({ add, without, found, file }) => {
      const text = `${without === undefined ? HEALTHY : HEALTHY.replace(without, '')}${add}\n`;
      expect(inMetrics(text, file)).toEqual([found]);
    },
  );

  it('an objective that can be reached, or that nothing is known of, is left alone', () => {
    const text = `${HEALTHY}retry_objective_ratio{operation="x"} 0.2\n`;
    expect(inMetrics(text)).toEqual([]);
    expect(inMetrics(text, { operations: { x: { maxAttempts: 5 }, load_user: {} } })).toEqual([]);
  });
});

describe('the text of metrics', () => {
  it('is read in both formats', () => {
    const text = `# HELP a help {x="1"}
# TYPE a counter
a_total{l="q\\"uo\\\\te\\n, }",m="ü"} 1.5e+3 1700000000000\r
b 0
c{} +Inf
d{x="1",} NaN
e{x="1"} 2 # {trace_id="abc"} 1 1.0
# EOF
`;
    expect(parseMetrics(text).map(({ name, labels, value }) => [name, { ...labels }, value])).toEqual([
      ['a_total', { l: 'q"uo\\te\n, }', m: 'ü' }, 1500],
      ['b', {}, 0],
      ['c', {}, Infinity],
      ['d', { x: '1' }, Number.NaN],
      ['e', { x: '1' }, 2],
    ]);
  });

  it.each(['<!DOCTYPE html>', 'a', 'a{b="c"', 'a{b=c} 1', 'a{b="c"}1', 'a x', '{"json": true}', 'a{b="c" d="e"} 1'])(
    'is not %s',
    line => {
      expect(() => parseMetrics(`x 1\n${line}\n`)).toThrow('line 2 is not of the Prometheus text format');
    },
  );

  it('takes no longer than it is long', () => {
    const taken = startCpuTimer();
    for (const text of [
      `a{${'b="c",'.repeat(200_000)}`,
      `a{b="${'\\"'.repeat(500_000)}`,
      'a'.repeat(1_000_000),
      `a ${'1'.repeat(1_000_000)}x`,
    ]) {
      expect(() => parseMetrics(text)).toThrow('line 1');
    }
    expect(taken()).toBeLessThan(5000);
  });

  it('keeps labels that are named like what every object has', () => {
    expect(parseMetrics('a{__proto__="x",constructor="y"} 1')[0]?.labels).toMatchObject({ constructor: 'y' });
    expect(Object.prototype).not.toHaveProperty('x');
  });
});
