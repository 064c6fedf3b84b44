import Table from 'cli-table3';
import type { LetterTally } from './order-book.ts';
import { formatMs, OUTCOMES, type Style } from './style.ts';
import type { OperationTally } from './tally.ts';

/** Draws what all calls came to, in at most 100 columns. */
export function drawSummary(tallies: readonly OperationTally[], style: Style): string {
  const table = new Table({
    head: ['operation', 'calls', 'success', 'recovered', 'gave up', 'attempts', 'p50', 'p95', 'p99', 'waited'],
    colAligns: ['left', ...Array.from({ length: 9 }, () => 'right' as const)],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 1, compact: true },
  });
  for (const tally of [...tallies, ...(tallies.length > 1 ? [total(tallies)] : [])]) table.push(rowOf(tally, style));
  return `${table.toString()}\n\n${drawOutcomes(tallies, style)}`;
}

/** Draws what became of the calls that were given up and kept, in at most 100 columns. */
export function drawLetters({ stored, redriven, left, not_stored: notStored }: LetterTally, style: Style): string {
  const figures = [
    `${stored} stored`,
    style.green(`${redriven} redriven`),
    left > 0 ? style.red(`${left} left`) : '0 left',
    ...(notStored > 0 ? [style.red(`${notStored} not stored`)] : []),
  ];
  return `${style.bold('Dead letters')}  ${figures.join(', ')}`;
}

function rowOf(tally: OperationTally, style: Style): string[] {
  const { calls, outcomes, attempts } = tally;
  const recovered = outcomes.success_after_retry ?? 0;
  const good = (outcomes.success ?? 0) + recovered;
  // One that waits in a queue has not ended yet; its next part is a call of its own.
  const ended = calls - (outcomes.handed_over ?? 0);
  return [
    tally.operation === TOTAL ? style.bold(TOTAL) : tally.operation,
    String(calls),
    style.green(`${ended === 0 ? 0 : ((good / ended) * 100).toFixed(1)} %`),
    String(recovered),
    ended > good ? style.red(String(ended - good)) : '0',
    calls === 0 ? '0' : (attempts / calls).toFixed(2),
    ...(tally.operation === TOTAL ? ['', '', ''] : [tally.p50, tally.p95, tally.p99].map(formatMs)),
    formatMs(tally.waitedMs),
  ];
}

const TOTAL = 'all';

function total(tallies: readonly OperationTally[]): OperationTally {
  const sum = (figure: (tally: OperationTally) => number): number =>
    tallies.reduce((all, tally) => all + figure(tally), 0);
  return {
    operation: TOTAL,
    calls: sum(({ calls }) => calls),
    outcomes: outcomesOf(tallies),
    attempts: sum(({ attempts }) => attempts),
    waitedMs: sum(({ waitedMs }) => waitedMs),
    p50: 0,
    p95: 0,
    p99: 0,
  };
}

function outcomesOf(tallies: readonly OperationTally[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { outcomes } of tallies) {
    for (const [outcome, count] of Object.entries(outcomes)) all[outcome] = (all[outcome] ?? 0) + count;
  }
  return all;
}

/** How many columns the longest bar takes. */
const BAR = 40;

function drawOutcomes(tallies: readonly OperationTally[], style: Style): string {
  const outcomes = Object.entries(outcomesOf(tallies)).sort(([, a], [, b]) => b - a);
  const calls = outcomes.reduce((sum, [, count]) => sum + count, 0);
  const lines = outcomes.map(([outcome, count]) => {
    const share = count / calls;
    const paint = outcome.startsWith('success') ? style.green : style.red;
    const bar = paint('█'.repeat(Math.max(1, Math.round(share * BAR))));
    return `  ${(OUTCOMES[outcome] ?? outcome).padEnd(22)}${String(count).padStart(6)} ${(share * 100).toFixed(1).padStart(5)} %  ${bar}`;
  });
  return [style.bold('Calls by outcome'), ...lines].join('\n');
}
