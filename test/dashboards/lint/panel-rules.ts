import { variablesIn } from './dashboard-json.ts';
import { dashboardRule, panelRule, type Rule } from './rule.ts';

/** The rules about panels, and about the dashboard that holds them. The linter leaves some kinds of panels out. */
export const PANEL_RULES: readonly Rule[] = [
  panelRule('panel-datasource-rule', ({ datasource }, dashboard) => {
    const sources = variablesIn(dashboard).filter(({ type }) => type === 'datasource');
    const known = sources.flatMap(({ name }) => [`$${name}`, `\${${name}}`]);
    return known.includes(datasource?.uid ?? '') ? [] : [`its data source ${datasource?.uid} cannot be chosen`];
  }),
  panelRule('panel-title-description-rule', ({ title = '', description = '' }) => [
    ...(title === '' ? ['no title'] : []),
    ...(description === '' ? ['no description'] : []),
  ]),
  panelRule('panel-units-rule', ({ fieldConfig, options }) => {
    const { unit = '', mappings = [] } = fieldConfig?.defaults ?? {};
    const showsText = mappings.length > 0 || (options?.reduceOptions?.fields ?? '') !== '';
    return showsText || UNITS.includes(unit) ? [] : [`${unit === '' ? 'no unit' : `unit ${unit}`}`];
  }),
  panelRule('panel-no-targets-rule', ({ targets = [] }) => (targets.length === 0 ? ['it asks nothing'] : [])),
  dashboardRule('uneditable-dashboard', ({ editable }) =>
    editable === false ? [] : ['it can be changed in a browser, where the next release would undo it'],
  ),
];

/** Units that the linter knows, as far as metrics of retries may have them. */
const UNITS = [
  'none',
  'short',
  'percent',
  'percentunit',
  'ns',
  'µs',
  'ms',
  's',
  'm',
  'h',
  'd',
  'ops',
  'reqps',
  'bytes',
];
