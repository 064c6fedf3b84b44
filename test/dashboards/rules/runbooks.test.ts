import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { ALERTS } from '../../../dashboards/src/alert-names.ts';
import { WINDOWS } from '../../../dashboards/src/config.ts';
import type { AlertRule, RuleFile } from '../../../dashboards/src/rule-file.ts';
import { RECORDED } from '../../../dashboards/src/series.ts';
import {
  ATTRIBUTES,
  LABEL_VALUES,
  LABELS,
  LOG_MESSAGES,
  labelName,
  METRICS,
  OTHER,
} from '../../../instrumentation/names.ts';
import * as opentelemetry from '../../../instrumentation/opentelemetry/index.ts';
import * as prometheus from '../../../instrumentation/prometheus/index.ts';
import * as setup from '../../../instrumentation/setup/index.ts';
import * as main from '../../../src/index.ts';
import * as propagation from '../../../src/limits/propagation/index.ts';
import * as redis from '../../../src/limits/redis/index.ts';
import * as testing from '../../../src/testing/index.ts';
import { metricNames } from './metric-names.ts';
import { expectContent, testEachWith, withFiles } from './tools.ts';

const ROOT = join(__dirname, '../../..');
const FOLDER = join(ROOT, 'dashboards/runbooks');

const HEADINGS = [
  'Meaning',
  'Impact',
  'Check in 5 minutes',
  'Causes, most likely first',
  'Mitigation now',
  'Long-term fix',
  'Silence',
  'Related',
];

interface Runbook {
  readonly name: string;
  readonly text: string;
  /** What stands under each heading. */
  readonly sections: ReadonlyMap<string, string>;
}

const runbooks = readdirSync(FOLDER).map(file => read(file.replace(/\.md$/, '')));

it('has a runbook for each alert, and no other file', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(ALERTS.map(name => `${name}.md`).sort());
});

describe.each(runbooks)('the runbook of $name', runbook => {
  const { name, text, sections } = runbook;

  it('has its name for a title, and the same headings as all', () => {
    expect(text.split('\n')[0]).toBe(`# ${name}`);
    expect([...sections.keys()]).toEqual(HEADINGS);
  });

  it('leaves nothing empty', () => {
    for (const content of sections.values()) expect(content.trim().length).toBeGreaterThan(20);
    expect(sections.get('Mitigation now')).toMatch(/^- [A-Z].{20,}/m);
  });

  it('begins with a question that can be pasted into Prometheus', () => {
    const numbered = sections.get('Check in 5 minutes')?.match(/^\d+\. .*$/gm) ?? [];
    expect(numbered.map(line => Number.parseInt(line, 10))).toEqual(numbered.map((_, index) => index + 1));
    expect(sections.get('Check in 5 minutes')).toMatch(/^[^`]*1\. [A-Z][^\n]+\n\n {3}```promql\n/);
  });

  it('asks for metrics and recorded series that exist, by labels and values that they have', () => {
    for (const expr of blocks(runbook, 'promql')) {
      expect(metricNames(expr).filter(metric => !KNOWN_METRICS.has(metric))).toEqual([]);
      const labels = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
      expect(labels.filter(label => !KNOWN_LABELS.has(label))).toEqual([]);
      for (const [, label = '', value = ''] of expr.matchAll(/(\w+)="([^"]*)"/g)) {
        expect(KNOWN_LABELS).toContain(label);
        expect(KNOWN_VALUES).toContain(value);
      }
    }
  });

  it('looks for traces by attributes that spans have, and for log lines that are written', () => {
    for (const query of blocks(runbook, 'traceql')) {
      const names = [...query.matchAll(/span\.([\w.]+)/g)].map(([, attribute]) => attribute);
      expect(names).not.toEqual([]);
      expect(names.filter(attribute => !KNOWN_ATTRIBUTES.has(attribute ?? ''))).toEqual([]);
      for (const [, value] of query.matchAll(/outcome !?= "(\w+)"/g)) expect(KNOWN_VALUES).toContain(value);
    }
    for (const query of blocks(runbook, 'logql')) {
      for (const part of /\|[=~] "([^"]+)"/.exec(query)?.[1]?.split('|') ?? []) expect(LOGGED).toContain(part);
    }
  });

  it('names nothing as code that the code does not have', () => {
    for (const span of codeOf(runbook)) {
      expect({ span, unknown: wordsOf(span).filter(word => !WORDS.has(word)) }).toEqual({ span, unknown: [] });
    }
  });

  it('names members of breakers and budgets that they have, and exports where they are exported', () => {
    for (const [, owner, member = ''] of text.matchAll(/`(breaker|budget)\.(\w+)/g)) {
      expect(member in (owner === 'breaker' ? main.CircuitBreaker : redis.RedisBudget).prototype).toBe(true);
    }
    for (const [, exported = '', entry = ''] of text.matchAll(/`(\w+)[^`]*` (?:in|of) `(retryscope[\w/]*)`/g)) {
      expect(Object.keys(ENTRIES[entry] ?? {})).toContain(exported);
    }
    for (const [, exported] of text.matchAll(/`(?:new )?((?:set|start|register|share|retry)[A-Z]\w+)/g)) {
      if (exported === 'retryOn') continue;
      expect(Object.values(ENTRIES).flatMap(entry => Object.keys(entry))).toContain(exported);
    }
  });

  it('links to runbooks that are there, and not to itself', () => {
    const links = [...text.matchAll(/\[([^\]]*)\]\(([^)]*)\)/g)];
    expect(links).not.toEqual([]);
    for (const [, title, target] of links) expect(target).toBe(`${title}.md`);
    const others: readonly string[] = ALERTS.filter(other => other !== name);
    expect(links.filter(([, title = '']) => !others.includes(title))).toEqual([]);
    const mentioned = text.match(/(?<=see )(Retry|Circuit|Dead)[A-Z]\w+/g) ?? [];
    expect(mentioned.filter(other => !others.includes(other))).toEqual([]);
  });

  it('silences that alert, by labels that it has', () => {
    const [, alertname, matchers = ''] = /amtool silence add alertname=(\w+) (.*) --duration/.exec(text) ?? [];
    expect(alertname).toBe(name);
    for (const [label] of matchers.matchAll(/\w+(?==)/g)) {
      for (const { annotations } of rulesOf(name))
        expect(Object.values(annotations).join()).toContain(`$labels.${label} `);
    }
  });
});

testEachWith(
  'promtool',
  'promtool reads every question of the runbook of %s',
  runbooks.map(runbook => [runbook.name, runbook] as const),
  runbook => {
    const rules = blocks(runbook, 'promql').map((expr, index) => ({ record: `question:${index}`, expr }));
    withFiles({ 'questions.yml': stringify({ groups: [{ name: runbook.name, rules }] }) }, folder =>
      expectContent('promtool', ['check', 'rules', join(folder, 'questions.yml')]),
    );
  },
);

describe('every alert leads to its runbook and to a dashboard that can show it', () => {
  const dashboards = new Map(
    readdirSync(join(ROOT, 'dashboards/grafana')).map(file => {
      const { uid, templating } = JSON.parse(readFileSync(join(ROOT, 'dashboards/grafana', file), 'utf8'));
      return [uid as string, (templating.list as { name: string }[]).map(({ name }) => name)];
    }),
  );

  it.each(ALERTS)('%s', name => {
    expect(rulesOf(name)).not.toEqual([]);
    for (const { annotations } of rulesOf(name)) {
      expect(annotations.runbook_url).toMatch(new RegExp(`^https://.*/${name}\\.md$`));
      const [, uid = '', query = ''] = /\/d\/([\w-]+)\?(.*)$/.exec(annotations.dashboard_url ?? '') ?? [];
      const set = query.split('&').map(part => /^var-(\w+)=\{\{ \$labels\.\w+ \| urlquery \}\}$/.exec(part)?.[1]);
      expect(dashboards.get(uid)).toEqual(expect.arrayContaining(set));
    }
  });
});

const KNOWN_METRICS: ReadonlySet<string> = new Set([
  ...Object.values(METRICS).flatMap(({ family, kind }) =>
    kind === 'histogram' ? [`${family}_bucket`, `${family}_sum`, `${family}_count`] : [family],
  ),
  ...Object.values(RECORDED).flatMap(record => (typeof record === 'string' ? [record] : WINDOWS.map(record))),
  'up',
]);
const KNOWN_LABELS: ReadonlySet<string> = new Set([...Object.values(LABELS).map(labelName), 'job', 'instance', 'le']);
const KNOWN_VALUES: readonly string[] = Object.values(LABEL_VALUES).flat();
const KNOWN_ATTRIBUTES: ReadonlySet<string> = new Set(Object.values(ATTRIBUTES));

const ENTRIES: Readonly<Record<string, object>> = {
  retryscope: main,
  'retryscope/opentelemetry': opentelemetry,
  'retryscope/prometheus': prometheus,
  'retryscope/setup': setup,
  'retryscope/testing': testing,
  'retryscope/propagation': propagation,
  'retryscope/budget-redis': redis,
};

/** What the code says, without what it says of itself. */
const CODE = ['src/**/*.ts', 'instrumentation/**/*.ts', 'cli/*.ts', 'dashboards/src/{alert,config,burn-alerts}.ts']
  .flatMap(pattern => globSync(pattern, { cwd: ROOT }))
  .map(file => readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ''))
  .join('\n');

/** Every text that a log line or a warning may hold. */
const LOGGED = `${Object.values(LOG_MESSAGES)
  .map(message => message('operation', 1, 3, 1))
  .join('\n')}\n${CODE.match(/RETRYSCOPE_\w+/g)?.join('\n')}`;

const WORDS: ReadonlySet<string> = new Set([
  ...(CODE.match(/\w+/g) ?? []),
  OTHER,
  ...KNOWN_METRICS,
  ...Object.keys(ENTRIES).flatMap(entry => entry.match(/\w+/g) ?? []),
  // What others call their things.
  ...['NOPERM', 'ECONNREFUSED', 'ENOSPC', 'ETIMEDOUT', 'npm', 'npx', 'ls', 'instance'],
  // An example of a name.
  'load_user',
]);

function wordsOf(span: string): string[] {
  return span.match(/[A-Za-z]\w*/g) ?? [];
}

function codeOf({ text }: Runbook): string[] {
  const prose = text.replace(/```[\s\S]*?```/g, '');
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);
}

function blocks({ text }: Runbook, language: string): string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code = '']) =>
    code.trim(),
  );
}

function read(name: string): Runbook {
  const text = readFileSync(join(FOLDER, `${name}.md`), 'utf8');
  const [, ...parts] = text.split(/^## /m);
  return {
    name,
    text,
    sections: new Map(parts.map(part => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)])),
  };
}

function rulesOf(name: string): AlertRule[] {
  const { groups } = parse(readFileSync(join(ROOT, 'dashboards/prometheus/retry-alerts.yml'), 'utf8')) as RuleFile;
  return groups.flatMap(({ rules }) => rules as readonly AlertRule[]).filter(({ alert }) => alert === name);
}
