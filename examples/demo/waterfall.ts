import type { AttemptTrace, CallTrace } from './call-trace.ts';
import { formatMs, OUTCOMES, type Style } from './style.ts';

/**
 * Draws a call and its attempts to scale: ━ for an attempt, · for the wait before it.
 *
 * @param width columns of the terminal, at least 60
 */
export function drawWaterfall(call: CallTrace, style: Style, width: number): string {
  const bar = Math.max(20, width - LABEL - NOTE);
  return [heading(call, style, width), ...call.attempts.map((attempt, i) => row(call, attempt, i, style, bar))].join(
    '\n',
  );
}

const LABEL = 12;
const NOTE = 42;

function heading(call: CallTrace, style: Style, width: number): string {
  const { operation, outcome, attempts, durationMs, traceId } = call;
  const recovered = outcome.startsWith('success');
  const how =
    outcome === 'success_after_retry'
      ? `recovered in attempt ${attempts.find(({ errorType }) => errorType === undefined)?.number}`
      : (OUTCOMES[outcome] ?? outcome);
  const left = `${recovered ? '✓' : '✗'} ${operation}  ${how}`;
  const right = `${formatMs(durationMs)}  trace ${traceId.slice(0, 8)}`;
  const gap = ' '.repeat(Math.max(2, width - left.length - right.length));
  const paint = recovered ? style.green : style.red;
  return `${paint(left[0] ?? '')} ${style.bold(operation)}  ${paint(how)}${gap}${style.dim(right)}`;
}

function row(call: CallTrace, attempt: AttemptTrace, index: number, style: Style, bar: number): string {
  const scale = bar / Math.max(call.durationMs, 1);
  const start = Math.min(bar - 1, Math.round(attempt.startMs * scale));
  const length = Math.max(1, Math.min(bar - start, Math.round(attempt.durationMs * scale)));
  const before = call.attempts[index - 1];
  const waitFrom = before === undefined ? start : Math.round((before.startMs + before.durationMs) * scale);
  const wait = Math.max(0, start - Math.min(start, waitFrom));
  const failed = attempt.errorType !== undefined;
  const line =
    ' '.repeat(start - wait) + style.dim('·'.repeat(wait)) + (failed ? style.red : style.green)('━'.repeat(length));
  const rest = ' '.repeat(bar - start - length);
  return `  attempt ${String(attempt.number).padEnd(LABEL - 10)}${line}${rest} ${note(attempt, style)}`;
}

function note(attempt: AttemptTrace, style: Style): string {
  const { errorType, next, nextDelayMs } = attempt;
  if (errorType === undefined) return `${style.green('✓')} ${formatMs(attempt.durationMs)}`;
  const then = next === 'retry' ? `retry in ${formatMs(nextDelayMs ?? 0)}` : (STOPS[next ?? ''] ?? next);
  return `${style.red('✗')} ${shorten(errorType)} ${style.dim('→')} ${then}`;
}

/** What follows a failed attempt; where another one runs beside it, that decides. */
const STOPS: Readonly<Record<string, string>> = { ...OUTCOMES, hedge: 'the other one goes on' };

/** Our own codes all begin alike. */
function shorten(errorType: string): string {
  return errorType.replace('ERR_RETRY_', '').slice(0, 18);
}
