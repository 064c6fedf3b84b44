import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CircuitBreaker, GrpcBudget, RetryBudget } from '../../../src/core.ts';
import {
  findPolicyFile,
  loadPolicies,
  type Policies,
  type ServiceCall,
} from '../../../src/services/policy-file/index.ts';
import { EXAMPLE } from './support/example.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'policies-'));
});
afterEach(() => {
  delete process.env.RETRYSCOPE_CONFIG;
  rmSync(folder, { recursive: true, force: true });
});

const write = (content: unknown, name = 'retryscope.config.json'): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const load = (content: unknown, name?: string): Promise<Policies> => loadPolicies({ path: write(content, name) });

const pipe = (): string => {
  const path = join(folder, 'pipe.json');
  execFileSync('mkfifo', [path]);
  return path;
};

const YAML = `
budgets: { users: { ratio: 0.15, capacity: 20 } }
policies:
  patient: &patient { maxAttempts: 5, initialDelay: 1, budget: users }
operations:
  load_user: patient
  other: *patient
`;

describe('policies', () => {
  it('run the operations that they are for', async () => {
    const policies = await load(EXAMPLE);
    const fn = jest.fn(() => Promise.reject(new Error('down')));
    await expect(policies.execute('load_user', fn)).rejects.toThrow('down');
    expect(fn).toHaveBeenCalledTimes(5);
    await expect(policies.execute('quick', fn)).rejects.toThrow('down');
    expect(fn).toHaveBeenCalledTimes(6);
    expect(policies.operations).toEqual(['load_user', 'quick']);
    expect(() => policies.policyFor('nothing')).toThrow(
      new TypeError(`operation is "nothing"; it must be one that ${policies.path} has a policy for`),
    );
  });

  it('share the limits that they name', async () => {
    const { services } = await load(EXAMPLE);
    const budget = services[0]?.options.budget as RetryBudget;
    expect(budget).toBeInstanceOf(RetryBudget);
    expect(budget.state).toMatchObject({ name: 'users', capacity: 20 });
    expect(services[0]?.options.breaker).toBeInstanceOf(CircuitBreaker);
    expect(services[2]?.options.budget).toBeInstanceOf(GrpcBudget);
    expect(services[2]?.options).toMatchObject({ backoff: [1, 2], retryOn: ['ECONNRESET'] });
    expect(services[1]).toMatchObject({ policy: undefined, operation: undefined, options: { maxAttempts: 2 } });
  });

  it('may stand there a hundred times by an alias', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `p${i}`);
    const text = `policies: {p: &a {maxAttempts: 1}}\noperations: {${names.map(name => `${name}: *a`)}}`;
    const policies = await load(text, 'retryscope.config.yaml');
    for (const name of names) expect(policies.policyFor(name).worstCase(7)).toBe(7);
  });

  it('are read from YAML, too', async () => {
    const policies = await load(YAML, 'retryscope.config.yaml');
    expect(policies.policyFor('load_user').worstCase(0)).toBe(policies.policyFor('other').worstCase(0));
    expect(policies.policyFor('other')).toBeDefined();
  });
});

describe('the file', () => {
  it('is named by RETRYSCOPE_CONFIG, else has a usual name in the working folder', async () => {
    const cwd = jest.spyOn(process, 'cwd').mockReturnValue(folder);
    await expect(loadPolicies()).rejects.toThrow(/^There is no policy file: neither RETRYSCOPE_CONFIG nor retryscope/);
    expect(findPolicyFile()).toBeUndefined();
    const yaml = write(YAML, 'retryscope.config.yml');
    expect(findPolicyFile()).toBe(yaml);
    const json = write(EXAMPLE);
    expect(findPolicyFile()).toBe(json);
    process.env.RETRYSCOPE_CONFIG = yaml;
    expect((await loadPolicies()).path).toBe(yaml);
    cwd.mockRestore();
  });

  it.each<[string, unknown, string, string?]>([
    ['text that is not JSON', '{', 'it is not JSON: '],
    ['text that is not YAML', 'a: [', 'it is not YAML: ', 'a.yaml'],
    [
      'a name twice',
      'budgets: {}\nbudgets: {}',
      'it has a name that stands there already at line 2, column 1',
      'a.yaml',
    ],
    ['a list', '[]', 'it holds no policies by name'],
    ['nothing', '', 'it is not JSON'],
    ['nothing of YAML', '', 'it holds no policies by name', 'a.yaml'],
    ['an unknown section', { polices: {} }, '"polices" is not an option; did you mean "policies"?'],
    ['a section that is a list', { policies: [] }, 'policies is a list of 0; it must be an object of names'],
    ['services that are no list', { services: {} }, 'services is an object; it must be a list of rules'],
    [
      'a policy with a wrong option',
      { policies: { a: { maxAttempts: 0 } } },
      'policies.a: maxAttempts is 0; it must be',
    ],
    [
      'a policy that is a text',
      { policies: { a: 'b' } },
      'policies.a: the policy is "b"; it must be an object of options',
    ],
    ['an option for code only', { policies: { a: { signal: {} } } }, 'policies.a: signal has no place in a file'],
    [
      'a limit that is not there',
      { policies: { a: { budget: 'b' } } },
      'policies.a: the name is "b"; it must be one of budgets: there are none',
    ],
    [
      'a limit in the place of its name',
      { policies: { a: { budget: {} } } },
      'policies.a: the name is an object; it must be one of budgets',
    ],
    ['a limit with a wrong option', { budgets: { a: { ratio: -1 } } }, 'budgets.a: ratio is -1; it must be'],
    [
      'a kind that is none',
      { budgets: { a: { kind: 'toString' } } },
      'budgets.a: kind is "toString"; it must be one of success, window',
    ],
    [
      'an operation without its policy',
      { operations: { a: 'b' } },
      'operations.a: the name is "b"; it must be one of policies',
    ],
    ['an operation with too long a name', { operations: { ['a'.repeat(201)]: {} } }, 'operation is "aaa'],
    ['a rule without a policy', { services: [{ kind: 'http' }] }, 'services[0]: policy is missing'],
    [
      'a rule of no kind',
      { services: [{ policy: {} }] },
      "services[0]: kind is undefined; it must be 'http', 'database'",
    ],
    [
      'a rule with a route for Kafka',
      { services: [{ kind: 'kafka', route: '/', policy: {} }] },
      'services[0]: methods and route are for kind http',
    ],
    [
      'a rule with a host for Kafka',
      { services: [{ kind: 'kafka', host: 'kafka-1:9092', policy: {} }] },
      'services[0]: host is not for kafka: a rule is for a topic',
    ],
    [
      'a route that is none',
      { services: [{ kind: 'http', route: 'users', policy: {} }] },
      'services[0]: route is "users"; it must be a template',
    ],
    [
      'methods that are none',
      { services: [{ kind: 'http', methods: 'GET', policy: {} }] },
      'services[0]: methods is "GET"; it must be a list',
    ],
    [
      'an unknown part of a rule',
      { services: [{ kind: 'http', hosts: 'a', policy: {} }] },
      '"hosts" is not an option; did you mean "host"?',
    ],
    [
      'a host that is empty',
      { services: [{ kind: 'http', host: '', policy: {} }] },
      'services[0]: host is ""; it must be a text',
    ],
    ['a name of every object', '{"policies": {"__proto__": {}}}', '"policies.__proto__" may not be a name'],
    ['a constructor', 'policies: {a: {constructor: {}}}', '"policies.a.constructor" may not be a name', 'a.yaml'],
    [
      'one alias too many',
      `a: &a {}\npolicies: {${Array.from({ length: 101 }, (_, i) => `p${i}: *a`)}}`,
      'it has more than 100 aliases at line 2, column ',
      'a.yaml',
    ],
    [
      'aliases without end',
      `a: &a [1]\nb: &b [${'*a,'.repeat(99)}*a]\nc: [${'*b,'.repeat(99)}*b]`,
      'it has more than 100 aliases at line 3, column ',
      'a.yaml',
    ],
    ['too much', `{"$schema": "${'x'.repeat(262_144)}"}`, 'it is larger than 262144 bytes'],
  ])('is refused with %s, in one sentence that names the place', async (...[, content, why, name]) => {
    await expect(load(content, name)).rejects.toThrow(why);
    const { message } = (await load(content, name).catch(error => error)) as Error;
    expect(message).toContain(`${folder}/${name ?? 'retryscope.config.json'}: `);
    expect(message.split('\n')).toHaveLength(1);
    expect(message.length).toBeLessThan(600);
  });

  it.each([
    ['a folder', () => folder, 'it is no regular file'],
    ['no file', () => join(folder, 'nowhere.json'), 'there is no such file'],
    ['a device that never ends', () => '/dev/zero', 'it is no regular file'],
    ['a pipe that nobody writes into', () => pipe(), 'it is no regular file'],
  ])('is refused as %s', async (_what, pathOf, why) => {
    const path = pathOf();
    await expect(loadPolicies({ path })).rejects.toThrow(new TypeError(`${path}: it cannot be read: ${why}`));
  });

  it('is checked to hold what it is asked for', async () => {
    await expect(loadPolicies({ path: '' })).rejects.toThrow('path is ""; it must be the path of a file');
    await expect(loadPolicies({ reloadEvery: 5 })).rejects.toThrow('reloadEvery is 5; it must be');
  });
});

describe('rules for services', () => {
  const ruleOf = async (rule: object, call: ServiceCall): Promise<boolean> =>
    (await load({ services: [{ policy: {}, ...rule }] })).ruleFor(call) !== undefined;

  it('hold in their order', async () => {
    const policies = await load(EXAMPLE);
    const find = (call: ServiceCall): unknown => policies.ruleFor(call)?.policy;
    const get = { kind: 'http', method: 'GET', host: 'users.internal', path: '/users/42' } as const;
    expect(find(get)).toBe('patient');
    expect(policies.ruleFor({ ...get, method: 'PUT' })).toBe(policies.services[1]);
    expect(policies.ruleFor({ ...get, host: 'example.com' })).toBeUndefined();
    expect(policies.ruleFor({ kind: 'kafka', name: 'orders-eu' })).toBe(policies.services[2]);
  });

  it.each<[object, Partial<ServiceCall>, boolean]>([
    [{ host: 'API.example.com' }, { host: 'api.Example.com:8443' }, true],
    [{ host: 'api.example.com:8443' }, { host: 'api.example.com' }, false],
    [{ host: 'api.example.com:8443' }, { host: 'api.example.com:8443' }, true],
    [{ host: '*.example.com' }, { host: 'a.b.example.com' }, true],
    [{ host: '*.example.com' }, { host: 'example.com' }, false],
    [{ host: '*.example.com' }, { host: 'badexample.com' }, false],
    [{ host: 'a' }, {}, false],
    [{ route: '/users/:id' }, { path: '/users/1' }, true],
    [{ route: '/users/{id}' }, { path: '/users/1' }, true],
    [{ route: '/users/:id' }, { path: '/users/' }, false],
    [{ route: '/users/:id' }, { path: '/users/1/orders' }, false],
    [{ route: '/users/*' }, { path: '/users/1/orders' }, true],
    [{ route: '/users/*' }, { path: '/other' }, false],
    [{ route: '/*' }, { path: '/' }, true],
    [{ route: '/a' }, {}, false],
    [{ methods: ['GET', 'PUT'] }, { method: 'PUT' }, true],
    [{ methods: ['GET', 'PUT'] }, {}, false],
    [{ name: 'a' }, { name: 'a' }, true],
    [{ name: 'a*' }, { name: 'ab' }, true],
    [{ name: 'a' }, { name: 'ab' }, false],
    [{ name: 'a' }, {}, false],
    [{}, {}, true],
  ])('%j fits %j: %s', async (rule, call, fits) => {
    expect(await ruleOf({ kind: 'http', ...rule }, { kind: 'http', ...call })).toBe(fits);
    expect(await ruleOf({ kind: 'http', ...rule }, { kind: 'redis', ...call })).toBe(false);
  });

  it.each<[object, ServiceCall, boolean]>([
    [{ kind: 'redis', name: 'GET' }, { kind: 'redis', name: 'get' }, true],
    [{ kind: 'redis', name: 'get' }, { kind: 'redis', name: 'GET' }, true],
    [{ kind: 'redis', name: 'GET' }, { kind: 'redis', name: 'getex' }, false],
    [{ kind: 'redis', name: 'H*' }, { kind: 'redis', name: 'hget' }, true],
    [{ kind: 'database', name: 'SELECT' }, { kind: 'database', name: 'select' }, true],
    [{ kind: 'database', name: 'Sel*' }, { kind: 'database', name: 'SELECT' }, true],
    [{ kind: 'kafka', name: 'Orders' }, { kind: 'kafka', name: 'orders' }, false],
    [{ kind: 'kafka', name: 'Orders*' }, { kind: 'kafka', name: 'orders-eu' }, false],
    [{ kind: 'grpc', name: '/shop.Orders/*' }, { kind: 'grpc', name: '/shop.orders/Get' }, false],
  ])('%j fits %j: %s, whatever the case of commands', async (rule, call, fits) => {
    expect(await ruleOf(rule, call)).toBe(fits);
  });
});
