import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { annotationsOf } from './dashboard.ts';
import type { Context } from './panel-data.ts';
import { fillIn } from './variables.ts';

/** A time for which something is marked in the graphs, in milliseconds since 1970. */
export interface Mark {
  readonly from: number;
  readonly to: number;
  readonly colour: string;
  readonly title: string;
}

/**
 * Asks for the annotations, as often as the recording was scraped. What lasts for all of the range, such as a version
 * that is new because the recording is, marks no time in it and is left out.
 */
export async function readAnnotations(dashboard: Dashboard, context: Context): Promise<Mark[]> {
  const { prometheus, span, scrapeSeconds: step, variables, theme } = context;
  const marks = annotationsOf(dashboard).map(async ({ expr = '', iconColor, titleFormat = '' }) => {
    const query = fillIn(expr, variables, { __interval: `${step}s`, __rate_interval: `${4 * step}s` });
    const series = await prometheus.range(query, span, step);
    const colour = theme.visualization.getColorByName(iconColor);
    return series.flatMap(({ metric, values }) => {
      const title = titleFormat.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? '');
      return stretches(values, step)
        .filter(([from, to]) => from > span.from + step || to < span.to - step)
        .map(([from, to]) => ({ from: from * 1000, to: to * 1000, colour, title }));
    });
  });
  return (await Promise.all(marks)).flat();
}

/** Steps that a series may be away and still be the same mark; Grafana asks once a minute and sees no less of a gap. */
const JOINED = 8;

/** The times at which a series is there without a gap. */
function stretches(values: readonly (readonly [number, string])[], step: number): [number, number][] {
  const found: [number, number][] = [];
  for (const [time] of values) {
    const last = found.at(-1);
    if (last !== undefined && time - last[1] <= JOINED * step) last[1] = time;
    else found.push([time, time]);
  }
  return found;
}
