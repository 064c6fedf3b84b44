import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface PreviewOptions {
  /** How long each part of the recording lasts, in seconds. */
  readonly healthy: number;
  readonly flaky: number;
  readonly outage: number;
  /** Where the recording stays, and whence it is taken again; without it, it goes to a temporary folder. */
  readonly recording: string | undefined;
  readonly themes: readonly Theme[];
  /** Where the pictures go. */
  readonly out: string | undefined;
  /** Keeps the pages served after the pictures, until Ctrl-C. */
  readonly stay: 'on' | 'off';
}

export type Theme = 'dark' | 'light';

export const HELP = `Renders the committed dashboards over a real Prometheus that scraped the demo, healthy and in an outage.

  npm start                              about seven minutes: record, then six pictures in pictures/
  npm start -- --healthy 60              seconds of health (default 240)
  npm start -- --flaky 30                seconds of trouble that retries can cure (default 60)
  npm start -- --outage 60               seconds of outage (default 90)
  npm start -- --recording DIR           keeps the recording in DIR; renders it again when one is there
  npm start -- --theme light             dark (default), light or both
  npm start -- --out DIR                 where the pictures go
  npm start -- --stay                    serves the pages until Ctrl-C, to look around`;

/**
 * Reads the command line; `'help'` when it asks for help.
 *
 * @throws RangeError or TypeError for a wrong option
 */
export function readOptions(args: readonly string[]): PreviewOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      healthy: { type: 'string', default: '240' },
      flaky: { type: 'string', default: '60' },
      outage: { type: 'string', default: '90' },
      recording: { type: 'string' },
      theme: { type: 'string', default: 'dark' },
      out: { type: 'string' },
      stay: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    healthy: secondsOf('--healthy', values.healthy, 20),
    flaky: secondsOf('--flaky', values.flaky, 0),
    outage: secondsOf('--outage', values.outage, 20),
    recording: values.recording,
    themes: themesOf(values.theme),
    out: values.out,
    stay: values.stay ? 'on' : 'off',
  };
}

function secondsOf(name: string, text: string, least: number): number {
  const value = Number(text);
  if (value >= least && value <= 86_400) return value;
  throw new RangeError(`${name} is ${text}; it must be a number of seconds from ${least} to 86400`);
}

function themesOf(text: string): Theme[] {
  if (text === 'both') return ['dark', 'light'];
  if (text === 'dark' || text === 'light') return [text];
  throw new RangeError(`--theme is ${text}; it must be dark, light or both`);
}
