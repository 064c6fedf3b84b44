import {
  type DataFrame,
  type FieldConfigSource,
  type GrafanaTheme2,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  VizOrientation,
} from '@grafana/data';
import { BigValue, type BigValueColorMode, BigValueGraphMode, type BigValueTextMode, VizRepeater } from '@grafana/ui';
import type { ReactElement } from 'react';

/** The options of a stat panel, as they stand in its JSON. */
interface StatOptions {
  readonly reduceOptions: { readonly calcs: string[]; readonly values?: boolean };
  readonly colorMode: BigValueColorMode;
  readonly graphMode: BigValueGraphMode;
  readonly textMode: BigValueTextMode;
  readonly wideLayout?: boolean;
}

export interface StatsProps {
  readonly frames: DataFrame[];
  readonly options: StatOptions;
  readonly fieldConfig: FieldConfigSource;
  readonly width: number;
  readonly height: number;
  readonly theme: GrafanaTheme2;
}

/** A stat panel: a number for each series. */
export function Stats({ frames, options, fieldConfig, width, height, theme }: StatsProps): ReactElement {
  const { reduceOptions, colorMode, graphMode, textMode, wideLayout = true } = options;
  const getValues = () =>
    getFieldDisplayValues({
      fieldConfig,
      reduceOptions,
      replaceVariables: text => text,
      theme,
      data: frames,
      sparkline: graphMode !== BigValueGraphMode.None,
      timeZone: 'utc',
    });
  return (
    <VizRepeater
      getValues={getValues}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, alignmentFactors, count, ...size }) => (
        <BigValue
          {...{ colorMode, graphMode, textMode, theme, alignmentFactors, count }}
          value={value.display}
          {...(value.sparkline === undefined ? {} : { sparkline: value.sparkline })}
          disableWideLayout={!wideLayout}
          width={size.width}
          height={size.height}
        />
      )}
      source={frames}
      orientation={VizOrientation.Auto}
      renderCounter={0}
      autoGrid
      {...{ width, height }}
    />
  );
}
