import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { resolveConfig } from '../../../dashboards/src/config.ts';
import { seconds } from '../../../dashboards/src/duration.ts';
import { type Answer, PanelQueries, type Range } from './panel-queries.ts';
import { type Stack, startStack } from './stack.ts';
import { until } from './until.ts';
import type { Received } from './webhook.ts';

/** The same generator, every duration a three-hundredth: what takes an hour is over in twelve seconds. */
const config = resolveConfig({ timeScale: 300, scrapeInterval: '200ms' });

/** First bad call to the pager, in milliseconds. */
const DETECTED_WITHIN_MS = 5000;

/** Panels that show something only while something is wrong. */
const EMPTY_WHILE_HEALTHY = ['Firing alerts', 'Redrives that succeed'];

const DASHBOARDS = ['overview', 'operation', 'protection'].map(
  name =>
    JSON.parse(readFileSync(join(__dirname, `../../../dashboards/grafana/retry-${name}.json`), 'utf8')) as Dashboard,
);

const missing = ['prometheus', 'prometheus-alertmanager'].filter(
  program => spawnSync(program, ['--version']).error !== undefined,
);

jest.setTimeout(240_000);

if (missing.length > 0) {
  it('live checks: 10 left out, there is no Prometheus and Alertmanager', () => {
    const message = `${missing.join(' and ')} missing: apt-get install ${missing.join(' ')}`;
    if (process.env.CI) throw new Error(message);
    process.stderr.write(`${message}. Checks skipped: 10\n`);
  });
} else {
  describe('demo, Prometheus, Alertmanager and a pager', liveChecks);
}

function liveChecks(): void {
  let stack: Stack;
  let ask: PanelQueries;
  const healthyFrom = now();
  beforeAll(async () => {
    stack = await startStack(config);
    ask = new PanelQueries(stack.prometheus.url, config.scrapeInterval);
  });
  afterAll(() => stack?.stop());

  const pages = (status: Received['status']): Received[] =>
    stack.webhook.received.filter(message => message.receiver === 'page' && message.status === status);
  const askAll = async (range: Range): Promise<Answer[]> =>
    (await Promise.all(DASHBOARDS.map(dashboard => ask.ask(dashboard, range)))).flat();

  // An operation is there from its first call on, and that may take its time.
  const expectVariables = (): Promise<boolean> =>
    until(async () => {
      for (const dashboard of DASHBOARDS) {
        const offered = await ask.variables(dashboard, { from: healthyFrom, to: now() });
        expect(Object.fromEntries(offered)).toEqual({
          job: ['demo'],
          instance: [stack.demo.target],
          operation: [
            'inventory_lookup',
            'mail_receipt',
            'payment_authorize',
            'place_order',
            'price_quote',
            'recommendations',
            'record_order',
            'shipping_rates',
          ],
        });
      }
      return true;
    });

  it('answers every panel with numbers while all is well', async () => {
    const answers = await untilGood(() => askAll({ from: healthyFrom, to: now() }), EMPTY_WHILE_HEALTHY);
    expect(answers.length).toBeGreaterThan(60);
  });

  it('offers the jobs, processes and operations that there are', async () => {
    await expectVariables();
  });

  it('pages nobody while all is well', () => {
    expect(pages('firing')).toEqual([]);
  });

  it('notices a query that is wrong', async () => {
    const [overview] = DASHBOARDS as [Dashboard];
    const broken = (from: string, to: string): Dashboard =>
      JSON.parse(JSON.stringify(overview).replaceAll(from, to)) as Dashboard;
    const range = { from: healthyFrom, to: now() };
    const verdicts = async (dashboard: Dashboard): Promise<Set<string>> =>
      new Set((await ask.ask(dashboard, range)).map(({ verdict }) => verdict));
    expect(await verdicts(broken('retry_calls_total', 'retry_cals_total'))).toContain('empty');
    expect(await verdicts(broken('sum(', 'summ('))).toContain('error');
  });

  it(`pages somebody within ${DETECTED_WITHIN_MS / 1000} seconds of the first bad call`, async () => {
    const broken = performance.now();
    await stack.demo.breakUpstream('outage');
    const [first] = await until(() => (pages('firing').length > 0 ? pages('firing') : undefined));
    expect((first?.at ?? Number.NaN) - broken).toBeLessThan(DETECTED_WITHIN_MS);
    const burn = await until(() => pages('firing').find(({ labels }) => labels.alertname === 'RetryBudgetBurn'));
    expect(burn.annotations.runbook_url).toBe(`${config.runbookBase}/RetryBudgetBurn.md`);
    expect(burn.annotations.dashboard_url).toBe(
      `${config.grafanaUrl}/d/retry-operation?var-job=demo&var-operation=${burn.labels.operation}`,
    );
  });

  it('tells of the dead letters that pile up meanwhile', async () => {
    const query = new URLSearchParams({ query: 'ALERTS{alertname="DeadLettersGrowing", alertstate="firing"}' });
    const alerts = await until(async () => {
      const response = await fetch(`${stack.prometheus.url}/api/v1/query?${query}`);
      const { data } = (await response.json()) as { data: { result: readonly { metric: object }[] } };
      return data.result.length > 0 ? data.result : undefined;
    });
    expect(alerts.map(({ metric }) => metric)).toEqual([
      expect.objectContaining({ job: 'demo', queue: 'orders', severity: 'warning' }),
    ]);
  });

  it('answers every panel with numbers during the outage', async () => {
    await untilGood(() => askAll({ from: healthyFrom, to: now() }), []);
  });

  it('leads from each panel that shows traces to at least one', async () => {
    await until(async () => {
      const found = new Map<string, string[]>();
      for (const dashboard of DASHBOARDS) {
        for (const entry of await ask.exemplars(dashboard, { from: healthyFrom, to: now() })) found.set(...entry);
      }
      expect(found.size).toBeGreaterThan(5);
      const wrong = [...found].filter(([, ids]) => ids.length === 0 || ids.some(id => !/^[0-9a-f]{32}$/.test(id)));
      expect(wrong.map(([where]) => where)).toEqual([]);
      return true;
    });
  });

  it('offers the jobs, processes and operations that there are, during the outage too', async () => {
    await expectVariables();
  });

  it('says so when it is over', async () => {
    await stack.demo.breakUpstream('healthy');
    await until(() => {
      const open = new Set(pages('firing').map(({ labels }) => JSON.stringify(labels)));
      for (const { labels } of pages('resolved')) open.delete(JSON.stringify(labels));
      return open.size === 0;
    });
    expect(pages('resolved').length).toBeGreaterThan(0);
  });
}

/** Asks until every answer is a number, but for those of the panels that are allowed to have none yet. */
async function untilGood(askAll: () => Promise<Answer[]>, allowed: readonly string[]): Promise<Answer[]> {
  let bad: Answer[] = [];
  try {
    return await until(async () => {
      const answers = await askAll();
      bad = answers.filter(
        ({ where, verdict }) => verdict !== 'finite' && !allowed.some(title => where.includes(` / ${title} / `)),
      );
      return bad.length === 0 ? answers : undefined;
      // There is nothing new before the next scrape, and so many questions keep the machine from that.
    }, seconds(config.scrapeInterval) * 1000);
  } catch {
    throw new Error(
      `Not answered with numbers:\n${bad.map(({ where, verdict, detail }) => `${where}: ${verdict}: ${detail}`).join('\n')}`,
    );
  }
}

function now(): number {
  return Date.now() / 1000;
}
