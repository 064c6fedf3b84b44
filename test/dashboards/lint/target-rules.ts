import { isLogql, logqlRange } from './logql.ts';
import { isPromql, RATE_INTERVAL, type Selector, selectorsOf } from './promql.ts';
import { asksPrometheus, type Rule, type TargetContext, targetRule } from './rule.ts';

/** The rules about queries. */
export const TARGET_RULES: readonly Rule[] = [
  targetRule('target-logql-rule', ({ target: { datasource, expr = '' } }) =>
    datasource?.type !== 'loki' || isLogql(expr) ? [] : [`no LogQL: ${expr}`],
  ),
  targetRule('target-logql-auto-rule', ({ target: { datasource, expr = '' } }) => {
    const range = datasource?.type === 'loki' ? logqlRange(expr) : undefined;
    return range === undefined || range === '$__auto' ? [] : [`the range ${range} is not $__auto`];
  }),
  targetRule('target-promql-rule', context =>
    isForPromql(context) && !isPromql(context.target.expr ?? '') ? [`no PromQL: ${context.target.expr ?? ''}`] : [],
  ),
  targetRule('target-rate-interval-rule', context =>
    selectorsIn(context)
      .filter(({ within = '' }) => ['rate', 'irate'].includes(within))
      .filter(({ range }) => range !== RATE_INTERVAL)
      .map(({ name, within, range }) => `${within} of ${name} over ${range}, not $__rate_interval`),
  ),
  targetRule('target-job-rule', context => unmatched(context, context.labels.job, '$job')),
  targetRule('target-instance-rule', context => unmatched(context, context.labels.instance, '$instance')),
  targetRule('target-counter-agg-rule', context =>
    selectorsIn(context)
      .filter(({ name = '', within = '' }) => name.endsWith('_total') && !INCREASES.includes(within))
      .map(({ name }) => `the counter ${name} as it stands`),
  ),
];

/** Kinds of panels whose queries the linter takes for PromQL, whichever data source they ask. */
const READ_AS_PROMQL = ['singlestat', 'gauge', 'table', 'stat', 'state-timeline', 'timeseries'];

const INCREASES = ['rate', 'irate', 'increase'];

function isForPromql({ target, panel, dashboard }: TargetContext): boolean {
  const asked = target.datasource?.type === 'prometheus' || READ_AS_PROMQL.includes(panel.type);
  return asked && asksPrometheus(dashboard);
}

/** What Loki selects has the same form, and other labels. */
function selectorsIn({ target: { expr = '', datasource }, dashboard }: TargetContext): Selector[] {
  return asksPrometheus(dashboard) && datasource?.type !== 'loki' ? selectorsOf(expr) : [];
}

function unmatched(context: TargetContext, label: string, variable: string): string[] {
  return selectorsIn(context)
    .filter(({ matchers }) => !matchers.some(m => m.label === label && m.op === '=~' && m.value === variable))
    .map(({ name = 'a selector' }) => `${name} without ${label}=~"${variable}"`);
}
