import { type DataFrame, FieldType, type GrafanaTheme2, getFieldDisplayName } from '@grafana/data';
import { LegendDisplayMode, VizLayout, VizLegend } from '@grafana/ui';
import type { ReactElement } from 'react';
import { type Cell, Cells } from './cells.tsx';
import type { Span } from './prometheus.ts';

export interface StatesProps {
  readonly frames: DataFrame[];
  readonly span: Span;
  /** Seconds between points. */
  readonly step: number;
  readonly width: number;
  readonly height: number;
  readonly theme: GrafanaTheme2;
}

/** A state timeline, drawn by `Cells`; texts and colours are those of the panel's value mappings. */
export function States({ frames, span, step, width, height, theme }: StatesProps): ReactElement {
  const series = frames.flatMap(frame =>
    frame.fields.filter(({ type }) => type === FieldType.number).map(field => ({ frame, field })),
  );
  const shown = new Map<string, string>();
  const cells = series.flatMap(({ frame, field }, i): Cell[] => {
    const times: number[] = frame.fields[0]?.values ?? [];
    const merged: Cell[] = [];
    field.values.forEach((value, j) => {
      const { text = '', color = theme.colors.text.secondary } = field.display?.(value) ?? {};
      shown.set(text, color);
      const from = (times[j] ?? 0) / 1000;
      const last = merged.at(-1);
      const joined = last !== undefined && last.text === text && from - last.to < step / 2;
      if (joined) merged[merged.length - 1] = { ...last, to: from + step };
      // The first series is the uppermost.
      else merged.push({ row: series.length - 1 - i, from, to: from + step, colour: color, text });
    });
    return merged;
  });
  const labels = series.map(({ frame, field }, i) => ({
    at: series.length - i - 0.5,
    text: getFieldDisplayName(field, frame, frames),
  }));
  const items = [...shown].map(([label, color]) => ({ label, color, yAxis: 1 }));
  const legend = (
    <VizLayout.Legend placement="bottom">
      <VizLegend placement="bottom" items={items} displayMode={LegendDisplayMode.List} readonly />
    </VizLayout.Legend>
  );
  return (
    <VizLayout {...{ width, height, legend }}>
      {(innerWidth, innerHeight) => (
        <Cells
          {...{ cells, labels, span, theme }}
          rows={series.length}
          gap={2}
          width={innerWidth}
          height={innerHeight}
        />
      )}
    </VizLayout>
  );
}
