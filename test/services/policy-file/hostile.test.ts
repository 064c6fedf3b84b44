import fc from 'fast-check';
import { findMistake } from '../../../src/services/policy-file/json-mistakes.ts';
import { parsePolicies } from '../../../src/services/policy-file/parse.ts';
import { Policies } from '../../../src/services/policy-file/policies.ts';
import { startCpuTimer } from '../../engine/support/cpu-timer.ts';

const json = (text: string): Promise<unknown> => parsePolicies('a.json', text);
const yaml = (text: string): Promise<unknown> => parsePolicies('a.yaml', text);

it('may have a mark of the byte order, and Windows line ends', async () => {
  expect(await json('\uFEFF{\r\n"policies": {}\r\n}')).toEqual({ policies: {} });
  expect(await yaml('\uFEFFpolicies:\r\n  a: {maxAttempts: 2}\r\n')).toEqual({ policies: { a: { maxAttempts: 2 } } });
});

it.each([
  ['a tag of its own', 'policies: !retry {}', 'it has a tag at line 1, column 18'],
  ['a tag of YAML', 'policies: {a: {operation: !!binary aGk=}}', 'it has a tag at line 1'],
  ['a tag of a list of names', 'policies: !!set {a, b}', 'it has a tag'],
  ['a tag that makes code', 'policies: !!js/function "function () {}"', 'it has a tag'],
  ['another version', '%YAML 1.1\n---\npolicies: {}', 'it is of another version than 1.2'],
  ['two documents', 'policies: {}\n---\npolicies: {}', 'it is not YAML: multiple docs at line 2, column 1'],
  ['merge keys', 'policies:\n  a: &a {}\n  b: {<<: *a}', 'policies.b."<<": merge keys are not followed'],
  ['a circle', 'policies: &a {b: *a}', 'it has more than 20 levels'],
  ['a circle of lists', 'services: &a [*a]', 'it has more than 20 levels'],
  ['a list as a name', 'policies: {? [a] : {}}', 'it is not YAML: non string key'],
  [
    'infinite numbers',
    'policies: {a: {maxAttempts: .inf}}',
    'policies.a.maxAttempts is Infinity; it must be what JSON can',
  ],
  ['no numbers', 'policies: {a: {maxDelay: .nan}}', 'policies.a.maxDelay is NaN; it must be what JSON can'],
  ['an alias of nothing', 'policies: *hunter2', 'it has aliases that lead nowhere'],
  [
    'names that are the same',
    'policies: {a: {}, "a": {}}',
    'it has a name that stands there already at line 1, column 19',
  ],
  [
    'numbers as the same name',
    'policies:\n  1: {}\n  1: {}',
    'it has a name that stands there already at line 3, column 3',
  ],
  ['tabs', 'policies:\n\ta: {}', 'it is not YAML: '],
])('is refused as YAML with %s', async (_what, text, why) => {
  await expect(yaml(text)).rejects.toThrow(why);
  const { message } = (await yaml(text).catch(error => error)) as Error;
  expect(message).not.toMatch(/\n|hunter2/);
});

it.each([
  [
    'laughs',
    `a: &a [x]\n${Array.from({ length: 9 }, (_, i) => `${'bcdefghij'[i]}: &${'bcdefghij'[i]} [${`*${'abcdefghi'[i]},`.repeat(9)}x]`).join('\n')}`,
  ],
  [
    'laughs by name',
    `a: &a {x: x}\n${Array.from({ length: 9 }, (_, i) => `${'bcdefghij'[i]}: &${'bcdefghij'[i]} {${Array.from({ length: 9 }, (_, k) => `k${k}: *${'abcdefghi'[i]}`).join()}}`).join('\n')}`,
  ],
  ['brackets', '['.repeat(60_000)],
  ['braces', '{a: '.repeat(60_000)],
  ['dashes', '- '.repeat(100_000)],
  ['a ladder', Array.from({ length: 700 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ['anchors', Array.from({ length: 8000 }, (_, i) => `k${i}: &a${i} 1\nl${i}: *a${i}`).join('\n')],
  ['a name many times', 'a: 1\n'.repeat(50_000)],
])('is refused soon with %s without end', async (_what, text) => {
  const taken = startCpuTimer();
  await expect(yaml(text)).rejects.toThrow(TypeError);
  expect(taken()).toBeLessThan(20_000);
});

it.each([
  ['brackets', '['.repeat(200_000), 'more than 20 levels at line 1, column 21'],
  ['braces', '{"a":'.repeat(50_000), 'more than 20 levels'],
  ['a name twice', '{"policies": {"a": {}, "a": {}}}', 'a name that stands there already at line 1, column 24'],
  ['a name twice, written in two ways', '{"a": 1, "\\u0061": 2}', 'a name that stands there already'],
  ['a comment', '{\n  // no\n}', 'something unexpected at line 2, column 3'],
  ['a comma too many', '{"a": 1,}', 'a name in double quotes is missing at line 1, column 9'],
  ['a comma too few', '{"a": 1 "b": 2}', 'a comma, or the end of the list or object, is missing at line 1, column 9'],
  ['a secret', '{"password": hunter2}', 'something unexpected at line 1, column 14'],
  ['a secret in the place of a file', 'hunter2', 'something unexpected at line 1, column 1'],
  ['a secret behind the end', '{}"hunter2"', 'the end of the file is missing at line 1, column 3'],
  ['a text without its end', '{"hunter2', 'something unexpected at line 1, column 2'],
  [
    'a name of every object, deep in a list',
    '{"services": [{"policy": {"__proto__": 1}}]}',
    '"services[0].policy.__proto__" may not be a name',
  ],
  ['prototype', '{"budgets": {"prototype": {}}}', '"budgets.prototype" may not be a name'],
])('is refused as JSON with %s', async (_what, text, why) => {
  await expect(json(text)).rejects.toThrow(why);
  const { message } = (await json(text).catch(error => error)) as Error;
  expect(message).not.toMatch(/\n|hunter2/);
});

it('is told from JSON as JSON.parse does it', () => {
  const doubled = /a name that stands there already|levels/;
  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom('', ',', '}', ']', '"', '1', ':', ' ', 'x'),
      (text, where, put) => {
        const at = where % (text.length + 1);
        for (const each of [text, text.slice(0, at) + put + text.slice(at), text.slice(0, at) + text.slice(at + 1)]) {
          const mistake = findMistake(each);
          if (mistake === undefined) expect(isJson(each)).toBe(true);
          // A name with a control character of another kind is JSON; nobody has one.
          else if (!doubled.test(mistake) && !/\p{Cc}/u.test(each))
            expect({ each, isJson: isJson(each) }).toEqual({ each, isJson: false });
        }
      },
    ),
    { numRuns: 2000 },
  );
});

describe('what is wrong in it', () => {
  const refused = (file: object): string => {
    try {
      new Policies('/etc/retryscope.config.json', file as Record<string, unknown>);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('is told with the file, the place, and the nearest name', () => {
    expect(refused({ policies: { patient: { maxAttempt: 3 } } })).toBe(
      '/etc/retryscope.config.json: policies.patient: "maxAttempt" is not an option; did you mean "maxAttempts"?',
    );
    expect(refused({ breakers: { a: { openMS: 3 } } })).toContain(
      'breakers.a: "openMS" is not an option; did you mean "openMs"?',
    );
    expect(refused({ services: [{ kind: 'http', operations: 'a', policy: {} }] })).toContain(
      'services[0]: "operations" is not an option; did you mean "operation"?',
    );
    expect(refused({ budget: {} })).toContain('"budget" is not an option; did you mean "budgets"?');
    expect(refused({ policies: { a: { retries: 3 } } })).toContain('retries 3 is maxAttempts 4');
  });

  it.each([
    [{ services: [{ kind: 'http', host: 'https://me:hunter2@example.com', policy: {} }] }],
    [{ services: [{ kind: 'http', route: 'https://me:hunter2@example.com/', policy: {} }] }],
    [{ policies: { a: { budget: 'postgres://me:hunter2@db/x' } } }],
    [{ policies: { a: { maxDelay: 'Bearer hunter2hunter2hunter2' } } }],
    [{ policies: { 'https://me:hunter2@example.com/': { maxDelay: '' } } }],
  ])('shows no credentials: %j', file => {
    expect(refused(file)).toMatch(/^\/etc\/retryscope\.config\.json: /);
    expect(refused(file)).not.toContain('hunter2');
  });

  it('is one short line, whatever the names in it are', () => {
    const names = ['x'.repeat(100_000), 'a\nb', '\u001b[31m', '\u202e', ''];
    for (const name of names) {
      const message = refused({ policies: { [name]: { maxDelay: -1 } } });
      expect(message.length).toBeLessThan(300);
      expect(message).not.toMatch(/\p{Cc}/u);
    }
    expect(
      refused({ policies: Object.fromEntries(names.map(name => [name, {}])), operations: { a: 'nobody' } }),
    ).not.toMatch(/\p{Cc}/u);
  });
});
