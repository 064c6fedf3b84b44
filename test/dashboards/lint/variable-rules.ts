import { type DashboardJson, queryOf, type VariableJson, variablesIn } from './dashboard-json.ts';
import { isPromql } from './promql.ts';
import { asksPrometheus, dashboardRule, type Rule } from './rule.ts';

/** The rules about what can be chosen on a dashboard. */
export const VARIABLE_RULES: readonly Rule[] = [
  dashboardRule('template-datasource-rule', dashboard => {
    const sources = ofType(dashboard, 'datasource');
    if (sources.length === 0) return ['no data source can be chosen'];
    return sources.flatMap(variable => sourceFaults(variable, sources.length === 1 ? 'only' : 'one of several'));
  }),
  dashboardRule('template-job-rule', dashboard => choiceFaults(dashboard, 'job')),
  dashboardRule('template-instance-rule', dashboard => choiceFaults(dashboard, 'instance')),
  dashboardRule('template-label-promql-rule', dashboard => {
    if (!asksPrometheus(dashboard)) return [];
    return ofType(dashboard, 'query')
      .filter(variable => !asksForLabels(queryOf(variable)))
      .map(variable => `${variable.name} asks for ${queryOf(variable)}`);
  }),
  dashboardRule('template-on-time-change-reload-rule', dashboard =>
    ofType(dashboard, 'query')
      .filter(({ refresh }) => refresh !== ON_TIME_RANGE_CHANGE)
      .map(({ name }) => `${name} keeps its values when another time is chosen`),
  ),
];

const ON_TIME_RANGE_CHANGE = 2;

function ofType(dashboard: DashboardJson, wanted: string): VariableJson[] {
  return variablesIn(dashboard).filter(({ type }) => type === wanted);
}

function sourceFaults(variable: VariableJson, number: 'only' | 'one of several'): string[] {
  const { name, label = '' } = variable;
  const type = queryOf(variable);
  const names = [`${type.toLowerCase()}_datasource`, ...(number === 'only' ? ['datasource'] : [])];
  const titles = [`${capitalised(type)} data source`, ...(number === 'only' ? ['Data source'] : [])];
  return [
    ...(names.includes(name) ? [] : [`${name} is not named ${names.join(' or ')}`]),
    ...(titles.includes(label) ? [] : [`${name} is not labelled ${titles.join(' or ')}`]),
  ];
}

/** A choice of several values of a label, or all of them that are not empty. */
function choiceFaults(dashboard: DashboardJson, name: string): string[] {
  if (!asksPrometheus(dashboard)) return [];
  const variable = variablesIn(dashboard).find(candidate => candidate.name === name);
  if (variable === undefined) return [`no ${name} can be chosen`];
  const { datasource, type, label, multi, allValue } = variable;
  const uid = /^\$\{?(\w+)\}?$/.exec(datasource?.uid ?? '')?.[1] ?? '';
  return [
    ...(['datasource', 'prometheus_datasource'].includes(uid) ? [] : [`${name} has a data source of its own`]),
    ...(type === 'query' ? [] : [`${name} is not a query`]),
    ...(label === capitalised(name) ? [] : [`${name} is not labelled ${capitalised(name)}`]),
    ...(multi === true ? [] : [`${name} takes one value only`]),
    ...(allValue === '.+' ? [] : [`All is not .+ for ${name}`]),
  ];
}

function asksForLabels(query: string): boolean {
  const [, asked = '', selector] = /^(label_values|label_names|metrics|query_result)\((.*)\)$/s.exec(query) ?? [];
  if (selector === undefined) return false;
  if (asked !== 'label_values') return asked === 'label_names' || isPromql(selector);
  const [, metric, label = selector] = /^(.+),([^,]+)$/s.exec(selector) ?? [];
  return /^\s*\w+\s*$/.test(label) && (metric === undefined || isPromql(metric));
}

function capitalised(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
