import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { parse } from 'yaml';
import { loadPolicies, POLICY_FILE_SCHEMA } from '../../../src/services/policy-file/index.ts';
import { Policies } from '../../../src/services/policy-file/policies.ts';
import { EXAMPLE } from './support/example.ts';

const ROOT = join(__dirname, '../../..');
const allows = new Ajv({ strict: true, strictTypes: false, allowUnionTypes: true, strictRequired: false }).compile(
  POLICY_FILE_SCHEMA,
);
const reads = (file: unknown): boolean => {
  try {
    return new Policies('file', file as Record<string, unknown>).path === 'file';
  } catch {
    return false;
  }
};

it('is the committed file', () => {
  const path = join(ROOT, 'schema/retryscope.config.schema.json');
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(JSON.parse(JSON.stringify(POLICY_FILE_SCHEMA)));
  execFileSync(process.execPath, [join(ROOT, 'scripts/write-policy-schema.ts'), '--check'], { stdio: 'pipe' });
});

it('allows what is right, as the reader does', () => {
  expect(allows(EXAMPLE)).toBe(true);
  expect(reads(EXAMPLE)).toBe(true);
});

it('allows the sample in examples, which the reader takes', async () => {
  const path = join(ROOT, 'examples/retryscope.config.yaml');
  expect(allows(parse(readFileSync(path, 'utf8')))).toBe(true);
  const policies = await loadPolicies({ path });
  expect(policies.operations).toEqual(['load_user', 'render_report']);
  const get = { kind: 'http', method: 'GET', host: 'users.internal', path: '/users/42' } as const;
  expect(policies.ruleFor(get)?.operation).toBe('get_user');
  expect(policies.ruleFor({ ...get, host: 'payments.internal' })?.options.maxAttempts).toBe(1);
});

it.each([
  [{ polices: {} }],
  [{ policies: { a: { maxAttempts: 0 } } }],
  [{ policies: { a: { maxAttempts: 1.5 } } }],
  [{ policies: { a: { maxDelay: 2 ** 31 } } }],
  [{ policies: { a: { signal: {} } } }],
  [{ policies: { a: { retryOnResult: 'x' } } }],
  [{ policies: { a: { backoff: [] } } }],
  [{ policies: { a: { attributes: [] } } }],
  [{ policies: { a: { operation: 'x'.repeat(201) } } }],
  [{ policies: [] }],
  [{ policies: null }],
  [{ budgets: { a: { kind: 'toString' } } }],
  [{ budgets: { a: { kind: 'grpc', ratio: 1 } } }],
  [{ budgets: { a: { kind: 'aws-classic', cost: 1 } } }],
  [{ budgets: { a: { kind: 'window', capacity: 1 } } }],
  [{ budgets: { a: { maxTokens: 1 } } }],
  [{ budgets: { a: { cost: { permanent: 1 } } } }],
  [{ breakers: { a: { trip: { failures: 3 } } } }],
  [{ breakers: { a: { trip: { kind: 'time', failures: 3 } } } }],
  [{ breakers: { a: { kind: 'breaker', trip: { kind: 'time', size: 3 } } } }],
  [{ adaptives: { a: { k: 2 } } }],
  [{ bulkheads: { a: {} } }],
  [{ services: [{ kind: 'http' }] }],
  [{ services: [{ kind: 'nothing', policy: {} }] }],
  [{ services: [{ kind: 'kafka', route: '/', policy: {} }] }],
  [{ services: [{ kind: 'kafka', host: 'kafka-1', policy: {} }] }],
  [{ services: [{ kind: 'http', methods: [], policy: {} }] }],
  [{ services: [{ kind: 'http', methods: [['GET']], policy: {} }] }],
  [{ services: [{ kind: 'http', host: 'https://me:secret@example.com', policy: {} }] }],
  [{ operations: { a: 5 } }],
  [{ operations: { '': {} } }],
])('refuses %j, as the reader does', file => {
  expect(allows(file)).toBe(false);
  expect(reads(file)).toBe(false);
});

describe('for files of any kind', () => {
  const some = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
  const few = (record: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> =>
    fc.record(record, { requiredKeys: [] });
  const amount = some<unknown>(
    -1,
    0,
    0.0005,
    0.5,
    1,
    1.5,
    99,
    100,
    1000,
    10_001,
    60_001,
    1_000_001,
    2 ** 31,
    '1',
    null,
  );
  const label = some<unknown>('a', '', 'x'.repeat(201), 5);
  const budget = few({
    kind: some<unknown>('success', 'window', 'grpc', 'aws', 'aws-classic', 'none'),
    name: label,
    ratio: amount,
    capacity: amount,
    initial: amount,
    windowMs: amount,
    minPerSecond: amount,
    maxTokens: amount,
    tokenRatio: amount,
    cost: fc.oneof(amount, few({ transient: amount, throttled: amount, timeout: amount, other: amount })),
  });
  const breaker = few({
    name: label,
    trip: few({
      kind: some<unknown>('consecutive', 'count', 'time', 'other'),
      failures: amount,
      size: some<unknown>(100, 10_000, 10_001),
      windowMs: amount,
      failureRatio: amount,
      minimum: some<unknown>(0, 1, 100, 1.5),
    }),
    openMs: amount,
    probes: amount,
    probeTimeoutMs: amount,
    whenOpen: some<unknown>('stop', 'wait', 'other'),
  });
  const adaptive = few({
    kind: some('cubic', 'accept', 'x'),
    name: label,
    maxWaitMs: amount,
    k: amount,
    windowMs: amount,
  });
  const bulkhead = few({ name: label, limit: amount, queue: amount });
  const policy = few({
    operation: label,
    maxAttempts: amount,
    initialDelay: amount,
    maxDelay: amount,
    exponentialBase: amount,
    jitter: some<unknown>(true, false, 'full', 'decorrelated', 'none', null),
    backoff: some<unknown>('linear', 'fibonacci', 'other', [], [1, 2], [-1], ['1']),
    retryOn: some<unknown>('A', ['A', 'B'], [], 5, [5]),
    attemptTimeout: amount,
    maxElapsed: amount,
    retryAfter: some<unknown>(true, false, 'yes'),
    hedge: amount,
    nested: some<unknown>('inner', 'outer', 'both', 'none'),
    attributes: some<unknown>({}, { a: 1, b: 'c', d: true }, { a: {} }, [], 'a'),
    unref: some<unknown>(true, false, 1),
    deadline: amount,
  });
  const service = few({
    kind: some<unknown>('http', 'http', 'kafka', 'database', 'other'),
    host: some<unknown>('a', '*.a.b', 'a:1', '', 'https://a', '*', 'a@b', 5),
    methods: some<unknown>(['GET'], [], ['get'], 'GET', [5]),
    route: some<unknown>('/', '/a/:id', 'a', ''),
    name: some<unknown>('a*', '', 5, 'x'.repeat(501)),
    operation: label,
    policy: fc.oneof(some<unknown>({}, {}, 5), policy),
    other: amount,
  });
  const sections = { budgets: budget, breakers: breaker, adaptives: adaptive, bulkheads: bulkhead, policies: policy };

  it.each(Object.entries(sections))('the two agree on %s', (section, entry) => {
    fc.assert(
      fc.property(entry, value => {
        const file = { [section]: { a: value } };
        expect({ file, allowed: allows(file) }).toEqual({ file, allowed: reads(file) });
      }),
      { numRuns: 1500 },
    );
  });

  it('the two agree on services', () => {
    fc.assert(
      fc.property(service, value => {
        const file = { services: [value] };
        expect({ file, allowed: allows(file) }).toEqual({ file, allowed: reads(file) });
      }),
      { numRuns: 1500 },
    );
  });
});
