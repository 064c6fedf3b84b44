import { join } from 'node:path';
import { buildFiles, buildStackFiles } from '../../../dashboards/src/build.ts';
import { type DashboardsOptions, resolveConfig } from '../../../dashboards/src/config.ts';
import { expectContent, runTool, testEachWith, withFiles } from './tools.ts';

const COMMITTED = join(__dirname, '../../../dashboards/prometheus');

/** Other knobs, which bring other texts into the expressions. */
const KNOBS: Readonly<Record<string, DashboardsOptions>> = {
  'a selector': { selector: String.raw`team="shop", env!~"test|it\\.\"x\""` },
  'labels of other names': { jobLabel: 'service_name', instanceLabel: 'service_instance_id' },
  'an objective of its own': { objective: 0.05 },
  'a scale of sixty': { timeScale: 60, scrapeInterval: '1s' },
  'a scale that gives milliseconds': { timeScale: 7000, scrapeInterval: '100ms' },
  'tiny and huge thresholds': {
    minCallRate: 1e-9,
    minRetryRate: 1e9,
    stormRetryRate: 1e-12,
    tokensLowRatio: 1e-7,
    breakerOpenFor: '364d23h59m59s999ms',
  },
  'one window': { windows: [{ severity: 'info', long: '3d', short: '2h', factor: 0.5, for: '1h30m' }] },
  'severities with odd letters': { severities: { critical: 'P1 "now"', warning: 'P2\\3', info: 'ähem' } },
  'addresses of its own': { runbookBase: 'https://wiki/a%20b?page=', grafanaUrl: 'https://grafana/sub/' },
};

/** Folders with what Prometheus and Alertmanager read. */
const WORLDS: readonly (readonly [string, (check: (folder: string) => void) => void])[] = [
  ['the committed files', check => check(COMMITTED)],
  ...Object.entries(KNOBS).map(
    ([name, options]) => [name, (check: (folder: string) => void) => withFiles(generated(options), check)] as const,
  ),
];

testEachWith('promtool', 'promtool finds no fault in the rules of %s', WORLDS, within => {
  within(folder => {
    const files = ['retry-rules.yml', 'retry-alerts.yml'].map(name => join(folder, name));
    expectContent('promtool', ['check', 'rules', '--lint=all', '--lint-fatal', ...files]);
  });
});

testEachWith('promtool', 'promtool finds no fault in the configuration of %s', WORLDS, within => {
  within(folder => {
    const { status, output } = runTool('promtool', ['check', 'config', join(folder, 'prometheus.yml')]);
    expect({ status, output }).toEqual({ status: 0, output: expect.stringContaining('2 rule files found') });
  });
});

testEachWith('amtool', 'amtool finds no fault in the routes of %s', WORLDS, within => {
  within(folder => expectContent('amtool', ['check-config', join(folder, 'alertmanager.yml')]));
});

testEachWith('promtool', 'promtool would notice %s', [['a fault', undefined] as const], () => {
  const rules = generated({})['retry-alerts.yml'] ?? '';
  withFiles({ 'retry-alerts.yml': rules.replace('> 2 and', '> > 2 and') }, folder => {
    const { status, output } = runTool('promtool', ['check', 'rules', join(folder, 'retry-alerts.yml')]);
    expect(status).not.toBe(0);
    expect(output).toContain('RetryStorm');
  });
});

function generated(options: DashboardsOptions): Record<string, string> {
  const config = resolveConfig(options);
  const files = [...buildFiles(config), ...buildStackFiles(config)].filter(({ path }) =>
    path.startsWith('prometheus/'),
  );
  return Object.fromEntries(files.map(({ path, text }) => [path.replace('prometheus/', ''), text]));
}
