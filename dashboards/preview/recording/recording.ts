import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A recording: the data of a Prometheus, and what there is to see in it. Times are seconds since 1970. */
export interface Recording {
  readonly scrapeSeconds: number;
  readonly ranges: Readonly<Record<State, Range>>;
  readonly outageAt: number;
}

/** What a picture shows. */
export type State = 'healthy' | 'outage';

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The file that a finished recording has in its folder. */
export const RECORDING_FILE = 'recording.json';

/** The recording of a folder, or undefined when there is no finished one. */
export function readRecording(folder: string): Recording | undefined {
  const file = join(folder, RECORDING_FILE);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}
