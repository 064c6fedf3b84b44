import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a scrape holds: the type of each family, and every sample by name and sorted labels. */
export interface Exposition {
  readonly types: Record<string, string>;
  readonly help: Record<string, string>;
  readonly samples: Record<string, number>;
}

/** Reads the Prometheus text format, strictly: a line that is not part of it is an error. */
export function parseExposition(text: string): Exposition {
  const found: Exposition = { types: {}, help: {}, samples: {} };
  for (const line of text.split('\n')) {
    const comment = /^# (TYPE|HELP|UNIT) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, kind, family, value] = comment as unknown as [string, string, string, string];
      if (kind === 'TYPE') found.types[family] = value;
      if (kind === 'HELP') found.help[family] = value;
      continue;
    }
    if (line === '' || /^# (EOF|no registered metrics)/.test(line)) continue;
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?(?: # .*)?$/.exec(line);
    if (sample === null) throw new Error(`Not a line of the Prometheus text format: ${line}`);
    const [, name, labels, value] = sample as unknown as [string, string, string | undefined, string];
    const key = labels ? `${name}{${sortLabels(labels)}}` : name;
    if (key in found.samples) throw new Error(`The sample stands there twice: ${key}`);
    found.samples[key] = value === '+Inf' ? Infinity : Number(value);
  }
  return found;
}

/** Scrapes an exporter through its own request handler. */
export function scrape(exporter: {
  getMetricsRequestHandler(request: IncomingMessage, response: ServerResponse): void;
}): Promise<string> {
  return new Promise(resolve => {
    exporter.getMetricsRequestHandler({} as IncomingMessage, { setHeader: () => undefined, end: resolve } as never);
  });
}

function sortLabels(labels: string): string {
  const pairs = labels.match(/\w+="(?:[^"\\]|\\.)*"/g) ?? [];
  if (pairs.join(',') !== labels.replace(/,$/, '')) throw new Error(`Not a set of labels: {${labels}}`);
  return pairs.sort().join(',');
}
