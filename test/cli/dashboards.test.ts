import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type DashboardsCommand, writeDashboards } from '../../cli/dashboards.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { writeFiles } from '../../cli/write-files.ts';
import { ALERTS } from '../../dashboards/src/alert-names.ts';

let folder: string;
let out: string;
let printed: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dashboards-'));
  out = join(folder, 'out');
  mkdirSync(out);
  printed = '';
  jest.spyOn(process.stdout, 'write').mockImplementation(text => {
    printed += text;
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const run = (options: Partial<DashboardsCommand> = {}): void => writeDashboards({ out, ...options });
const read = (path: string): string => readFileSync(join(out, path), 'utf8');
const everything = (): string[] => readdirSync(out, { recursive: true, encoding: 'utf8' }).sort();
const messageOf = (work: () => void): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
};

it('writes dashboards, rules, alerts and a runbook for each alert', () => {
  run();
  expect(readdirSync(join(out, 'grafana')).sort()).toEqual([
    'retry-operation.json',
    'retry-overview.json',
    'retry-protection.json',
  ]);
  expect(readdirSync(join(out, 'prometheus')).sort()).toEqual(['retry-alerts.yml', 'retry-rules.yml']);
  expect(readdirSync(join(out, 'runbooks')).sort()).toEqual(ALERTS.map(name => `${name}.md`).sort());
  expect(JSON.parse(read('grafana/retry-overview.json'))).toMatchObject({ uid: 'retry-overview', schemaVersion: 42 });
  expect(printed).toContain(`in ${out}`);
  expect(printed).toContain('retry-overview.json');
});

it('puts what is set into what it writes', () => {
  run({
    selector: 'team="shop"',
    objective: 0.01,
    runbookBase: 'https://wiki/runbooks',
    grafanaUrl: 'https://grafana',
  });
  expect(read('prometheus/retry-rules.yml')).toContain('team="shop"');
  expect(read('grafana/retry-operation.json')).toContain('team=\\"shop\\"');
  const alerts = read('prometheus/retry-alerts.yml');
  expect(alerts).toContain('https://wiki/runbooks/RetryStorm.md');
  expect(alerts).toContain('https://grafana/d/retry-');
  expect(alerts).toContain('0.144');
});

it.each([
  ['YAML', 'stormAmplification: 2.25\nseverities:\n  critical: page\n'],
  ['JSON', '{"stormAmplification": 2.25, "severities": {"critical": "page"}}'],
])('reads options from a file of %s, and lets the command line go before it', (_kind, text) => {
  const config = join(folder, 'config.yaml');
  writeFileSync(config, `${text}`);
  run({ config, selector: 'a="b"' });
  const { groups } = parse(read('prometheus/retry-alerts.yml')) as {
    groups: { rules: { alert: string; expr: string; labels: Record<string, string> }[] }[];
  };
  const storm = groups.flatMap(({ rules }) => rules).find(({ alert }) => alert === 'RetryStorm');
  expect(storm?.expr).toContain('2.25');
  expect(storm?.labels.severity).toBe('page');
});

it.each<[string, Partial<DashboardsCommand>, RegExp]>([
  ['a missing folder', { out: 'nowhere/at/all' }, /^there is no folder nowhere\/at\/all; make it first$/],
  ['an objective that no burn can reach', { objective: 0.2 }, /factor is 14.4, which can never be reached/],
  ['an objective that is no number', { objective: Number.NaN }, /^objective is NaN; it must be/],
  [
    'a selector that leaves its braces',
    { selector: 'a="b"} or vector(1' },
    /^selector is .* it must be label matchers/,
  ],
  ['a base that is no URL', { runbookBase: 'javascript:alert(1)' }, /^runbookBase is .* an http or https URL$/],
  ['a file of options that is not there', { config: 'nowhere.yaml' }, /^nowhere.yaml: there is no such file$/],
])('refuses %s with one clear sentence, and writes nothing', (_what, options, message) => {
  expect(messageOf(() => run(options))).toMatch(message);
  expect(everything()).toEqual([]);
});

it.each([
  [
    'an unknown option',
    'stormAmplificaton: 3',
    /stormAmplificaton is no option of the dashboards; there are selector,/,
  ],
  ['a list', '- 1', /holds no options by name$/],
  ['no YAML', 'a: [', /config\.yaml: /],
  ['a name that is part of every object', '__proto__: {a: 1}', /__proto__ is no option/],
  ['aliases that unfold without end', `a: &a [1]\nb: &b [${'*a,'.repeat(9)}*a]\nc: [${'*b,'.repeat(9)}*b]`, /alias/],
])('refuses a file of options with %s', (_what, text, message) => {
  const config = join(folder, 'config.yaml');
  writeFileSync(config, text);
  expect(messageOf(() => run({ config }))).toMatch(message);
  expect(everything()).toEqual([]);
});

it('writes again over what it wrote, and says how much is other than before', () => {
  run();
  printed = '';
  run();
  expect(printed).toContain(', 0 of them changed');
  run({ objective: 0.01 });
  expect(printed).toMatch(/, [1-9]\d* of them changed/);
});

it.each([
  ['that was not written by it', () => {}],
  ['that was changed since', () => run()],
])('keeps a file %s, and the others with it', (_what, before) => {
  before();
  mkdirSync(join(out, 'runbooks'), { recursive: true });
  writeFileSync(join(out, 'runbooks/RetryStorm.md'), 'mine');
  const files = everything();
  const rules = existsSync(join(out, 'prometheus/retry-rules.yml')) && read('prometheus/retry-rules.yml');
  expect(messageOf(() => run({ selector: 'a="b"' }))).toMatch(
    /runbooks\/RetryStorm\.md\. Nothing was written; --force/,
  );
  expect(everything()).toEqual(files);
  expect(existsSync(join(out, 'prometheus/retry-rules.yml')) && read('prometheus/retry-rules.yml')).toBe(rules);
  run({ force: true });
  expect(read('runbooks/RetryStorm.md')).toContain('RetryStorm');
});

it('follows no link out of the folder', () => {
  const elsewhere = join(folder, 'elsewhere');
  writeFileSync(elsewhere, 'precious');
  mkdirSync(join(out, 'grafana'));
  symlinkSync(elsewhere, join(out, 'grafana/retry-overview.json'));
  expect(messageOf(() => run({ force: true }))).toMatch(/is no plain file$/);
  expect(readFileSync(elsewhere, 'utf8')).toBe('precious');
});

it('leaves nothing half-written behind where a file cannot be written', () => {
  writeFileSync(join(out, 'b'), 'a file where a folder is needed');
  const files = [
    { path: 'a/first', text: '1' },
    { path: 'b/second', text: '2' },
  ];
  expect(messageOf(() => writeFiles(out, files, 'keep'))).toContain(out);
  expect(existsSync(join(out, 'a/first'))).toBe(false);
  expect(everything().filter(name => name.includes('tmp'))).toEqual([]);
});

it('takes a manifest that it cannot read for none', () => {
  run();
  chmodSync(out, 0o755);
  writeFileSync(join(out, '.retryscope.json'), 'not JSON');
  expect(messageOf(() => run({ objective: 0.01 }))).toContain('Nothing was written');
});
