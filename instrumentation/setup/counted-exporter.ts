import { reportFault } from '../../src/engine/faults.ts';

/** What every exporter of OpenTelemetry has. */
interface Exporter<Items> {
  export(items: Items, done: (result: ExportResult) => void): void;
}

interface ExportResult {
  /** 0 for success. */
  readonly code: number;
  readonly error?: Error;
}

/** The exporter itself, whose failures are counted from now on: the SDK tells of them to its own log alone. */
export function counted<Items, E extends Exporter<Items>>(exporter: E): E {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) => {
    try {
      send(items, result => {
        if (result.code !== 0) reportFault('exporter', result.error);
        done(result);
      });
    } catch (error) {
      reportFault('exporter', error);
      throw error;
    }
  };
  return exporter;
}
