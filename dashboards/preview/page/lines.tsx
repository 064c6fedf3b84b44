import type { DataFrame, TimeRange } from '@grafana/data';
import { TimeSeries, type VizLegendOptions } from '@grafana/ui';
import type { ReactElement } from 'react';
import { drawOver, type Overlay } from './marks.ts';

export interface LinesProps {
  readonly frames: DataFrame[];
  readonly options: { readonly legend: VizLegendOptions };
  readonly range: TimeRange;
  readonly overlay: Overlay;
  readonly width: number;
  readonly height: number;
}

/** A time series panel, with its legend. */
export function Lines({ frames, options, range, overlay, width, height }: LinesProps): ReactElement {
  return (
    <TimeSeries {...{ frames, width, height }} timeRange={range} timeZone="utc" legend={options.legend}>
      {builder => {
        drawOver(builder, overlay);
        return null;
      }}
    </TimeSeries>
  );
}
