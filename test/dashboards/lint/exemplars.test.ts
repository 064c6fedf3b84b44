import { METRICS } from '../../../instrumentation/names.ts';
import { FED_FAMILIES, readFamily } from '../../../instrumentation/store/families.ts';
import { OperationCells } from '../../../instrumentation/store/operation-cells.ts';
import { recordAttemptEnd, recordCallEnd, recordRetry } from '../../../instrumentation/store/record.ts';
import { store } from '../../../instrumentation/store/store.ts';
import { CATALOGUE } from './catalogue.ts';
import { committed, type PanelJson, panelsIn, type TargetJson } from './dashboard-json.ts';
import { descendants, parsePromql, type Selector, selectorsOf } from './promql.ts';

/** Kinds of panels that show exemplars. */
const SHOWING = ['timeseries', 'heatmap'];

const carrying = carriers();
const panels = committed()
  .flatMap(panelsIn)
  .filter(({ datasource }) => datasource?.type === 'prometheus');
const showing = panels.filter(({ type, targets = [] }) => SHOWING.includes(type) && targets.some(canShow));

it('knows what carries exemplars by recording a call that is traced', () => {
  expect(carrying).toContain(METRICS.calls.family);
  for (const { kind, family } of FED_FAMILIES) {
    if (kind === 'histogram') expect(carrying).toContain(family);
    if (kind === 'gauge') expect(carrying).not.toContain(family);
  }
  expect(showing.length).toBeGreaterThanOrEqual(8);
});

it.each(showing)('asks for the traces behind $title, once for each series', ({ targets = [] }) => {
  const wanted = new Set(targets.filter(canShow).map(seriesOf));
  const asked = targets.filter(({ exemplar }) => exemplar === true).map(seriesOf);
  expect(asked.sort()).toEqual([...wanted].sort());
});

it('asks for no traces where there can be none', () => {
  const asking = panels.flatMap(panel => (panel.targets ?? []).filter(({ exemplar }) => exemplar).map(at(panel)));
  expect(asking).not.toHaveLength(0);
  expect(asking.filter(({ panel, target }) => !SHOWING.includes(panel.type) || !canShow(target))).toEqual([]);
});

it.each([
  ['a counter without exemplars', { expr: 'sum(rate(retry_retries_total[$__rate_interval]))' }],
  ['attempts that succeeded', { expr: 'sum(rate(retry_attempts_total{result="success"}[$__rate_interval]))' }],
  ['a sum of a histogram', { expr: 'sum(rate(retry_delay_seconds_sum[$__rate_interval]))' }],
  ['a value now', { expr: 'sum(rate(retry_calls_total[$__rate_interval]))', instant: true }],
  ['a ratio', { expr: 'sum(rate(retry_calls_total[$__rate_interval])) / 2' }],
])('knows that there are none for %s', (_what, target) => {
  expect(canShow(target)).toBe(false);
});

function at(panel: PanelJson): (target: TargetJson) => { panel: PanelJson; target: TargetJson } {
  return target => ({ panel, target });
}

/** Whether the exemplars of a query would stand at a value on its axis; on that of a ratio they have none. */
function canShow({ expr = '', instant }: TargetJson): boolean {
  const { top } = parsePromql(expr);
  return instant !== true && descendants(top, 'Div').length === 0 && selectorsOf(expr).some(carries);
}

function carries({ name = '', matchers }: Selector): boolean {
  const family = CATALOGUE.get(name)?.family ?? '';
  if (!carrying.includes(family)) return false;
  const onlySuccess = matchers.some(({ label, op, value }) => label === 'result' && op === '=' && value === 'success');
  if (family === METRICS.attempts.family) return !onlySuccess;
  return name === family || name.endsWith('_bucket');
}

function seriesOf({ expr = '' }: TargetJson): string {
  return selectorsOf(expr)
    .map(({ name, matchers }) => `${name} ${JSON.stringify(matchers)}`)
    .join();
}

/** The families that keep exemplars: those of a call that fails, is retried, and recovers. */
function carriers(): string[] {
  const span = { spanContext: () => ({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 }) };
  const at = { span, context: undefined };
  const cells = new OperationCells('traced');
  store.keepsExemplars = true;
  store.operations.set('traced', cells);
  const error = new Error('refused');
  const failed = {
    outcome: 'failure',
    durationMs: 1,
    error,
    errorClass: 'transient',
    next: 'retry',
    nextDelayMs: 1,
  } as const;
  recordAttemptEnd(cells, failed, at);
  const scheduled = {
    type: 'retry_scheduled',
    attempt: 1,
    nextAttempt: 2,
    delayMs: 1,
    delaySource: 'backoff',
    error,
  } as const;
  recordRetry(cells, scheduled, at);
  recordAttemptEnd(cells, { outcome: 'success', durationMs: 1 }, at);
  recordCallEnd(cells, { outcome: 'success', attempts: 2, durationMs: 3, totalDelayMs: 1 }, 'attempt', at);
  const kept = FED_FAMILIES.filter(definition => {
    const family = readFamily(definition);
    return family.kind === 'histogram'
      ? family.cells.some(({ exemplars }) => exemplars.some(exemplar => exemplar !== undefined))
      : family.samples.some(({ exemplar }) => exemplar !== undefined);
  });
  store.operations.delete('traced');
  store.keepsExemplars = false;
  return kept.map(({ family }) => family);
}
