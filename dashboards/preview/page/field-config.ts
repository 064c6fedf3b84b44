import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  type DataFrame,
  dataLinksOverrideProcessor,
  type Field,
  FieldConfigOptionsRegistry,
  type FieldConfigPropertyItem,
  type FieldConfigSource,
  type GrafanaTheme2,
  identityOverrideProcessor,
  numberOverrideProcessor,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
} from '@grafana/data';

/**
 * Applies units, thresholds, mappings and overrides of a panel to its data, with Grafana's own code. What Grafana's
 * panels bring along as defaults is not on npm, and stands here.
 */
export function configure(
  type: string,
  source: FieldConfigSource | undefined,
  frames: DataFrame[],
  theme: GrafanaTheme2,
): DataFrame[] {
  const configured = applyFieldOverrides({
    data: frames,
    fieldConfig: withDefaults(type, source),
    fieldConfigRegistry: registry,
    replaceVariables: text => text,
    theme,
    timeZone: 'utc',
  });
  // Tables read the names from there, and nowhere else.
  cacheFieldDisplayNames(configured);
  return configured;
}

/** The configuration of a panel, with the defaults of its type. */
export function withDefaults(type: string, source: FieldConfigSource | undefined): FieldConfigSource {
  const { defaults = {}, overrides = [] } = source ?? {};
  const thresholds = defaults.thresholds ?? DEFAULT_THRESHOLDS;
  return {
    defaults: {
      ...defaults,
      // JSON has no minus infinity.
      thresholds: { ...thresholds, steps: thresholds.steps.map(step => ({ ...step, value: step.value ?? -Infinity })) },
      color: defaults.color ?? { mode: type === 'timeseries' ? 'palette-classic' : 'thresholds' },
      custom: { ...CUSTOM_DEFAULTS[type], ...defaults.custom },
    },
    overrides,
  };
}

const DEFAULT_THRESHOLDS = {
  mode: 'absolute',
  steps: [
    { value: -Infinity, color: 'green' },
    { value: 80, color: 'red' },
  ],
} as NonNullable<FieldConfigSource['defaults']['thresholds']>;

const CUSTOM_DEFAULTS: Readonly<Record<string, object>> = {
  timeseries: { drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, spanNulls: false },
  table: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false },
};

const STANDARD: Readonly<Record<string, FieldConfigPropertyItem['process']>> = {
  unit: unitOverrideProcessor,
  min: numberOverrideProcessor,
  max: numberOverrideProcessor,
  decimals: numberOverrideProcessor,
  displayName: identityOverrideProcessor,
  noValue: identityOverrideProcessor,
  thresholds: thresholdsOverrideProcessor,
  mappings: valueMappingsOverrideProcessor,
  links: dataLinksOverrideProcessor,
  color: identityOverrideProcessor,
};

/** What the dashboards set of the options that a panel has of its own. */
const CUSTOM = [
  ...['drawStyle', 'lineInterpolation', 'lineWidth', 'lineStyle', 'fillOpacity', 'showPoints', 'spanNulls', 'stacking'],
  ...['axisSoftMin', 'axisSoftMax', 'axisPlacement', 'axisLabel', 'scaleDistribution', 'thresholdsStyle', 'hideFrom'],
  ...['align', 'cellOptions', 'width', 'minWidth', 'inspect', 'hidden'],
];

const registry = new FieldConfigOptionsRegistry(() => [
  ...Object.entries(STANDARD).map(([id, process]) => item(id, id, process)),
  ...CUSTOM.map(path => ({ ...item(`custom.${path}`, path, identityOverrideProcessor), isCustom: true })),
]);

function item(id: string, path: string, process: FieldConfigPropertyItem['process']): FieldConfigPropertyItem {
  const nothing = (): null => null;
  return { id, path, name: path, process, editor: nothing, override: nothing, shouldApply: (_: Field) => true };
}
