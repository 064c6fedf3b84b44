import { Writable } from 'node:stream';
import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { createLogger, format, type Logger, transports } from 'winston';
import { formatMs, type Style } from './style.ts';

/** How many log lines of one phase are shown; the others are counted. */
const LINES_PER_PHASE = 6;

/** What a person sees while the demo runs: log lines, and a progress line at the bottom of a terminal. */
export class Screen {
  readonly logger: Logger;
  readonly #style: Style;
  readonly #bars: MultiBar | undefined;
  readonly #bar: SingleBar | undefined;
  #shown = 0;
  #hidden = 0;

  constructor(style: Style, seconds: number, isTerminal: 'terminal' | 'pipe') {
    this.#style = style;
    if (isTerminal === 'terminal' && Number.isFinite(seconds)) {
      const layout = {
        format: '  {bar} {value}/{total} s  {phase}',
        hideCursor: true,
        clearOnComplete: true,
        barsize: 40,
      };
      this.#bars = new MultiBar(layout, Presets.shades_classic);
      this.#bar = this.#bars.create(Math.round(seconds), 0, { phase: '' });
    }
    this.logger = createLogger({
      level: 'info',
      format: format.combine(
        format(info => (this.#mayShow() ? info : false))(),
        format.printf(({ level, message, error, trace_id }) => this.#line(level, message, error, trace_id)),
      ),
      transports: [new transports.Stream({ stream: this.#lines() })],
    });
  }

  /** Prints above the progress line. */
  print(text: string): void {
    if (this.#bars === undefined) process.stdout.write(`${text}\n`);
    else this.#bars.log(`${text}\n`);
  }

  /** Begins a phase of the upstream. */
  phase(name: string): void {
    this.part(`upstream: ${name}`);
  }

  /** Begins a part: the log lines are counted anew. */
  part(title: string): void {
    if (this.#hidden > 0) this.print(this.#moreLines());
    this.#shown = 0;
    this.#hidden = 0;
    this.print(`\n${this.#style.bold(`── ${title} `)}${this.#style.dim('─'.repeat(Math.max(0, 70 - title.length)))}`);
  }

  progress(elapsedMs: number, phase: string, calls: number): void {
    this.#bar?.update(Math.floor(elapsedMs / 1000), { phase: `upstream ${phase}, ${calls} calls so far` });
  }

  /** Takes the progress line away. */
  close(): void {
    this.#bars?.stop();
    if (this.#hidden > 0) process.stdout.write(`${this.#moreLines()}\n`);
    this.#hidden = 0;
  }

  #moreLines(): string {
    return this.#style.dim(`  … and ${this.#hidden} more ${this.#hidden === 1 ? 'line' : 'lines'} like these`);
  }

  #lines(): Writable {
    return new Writable({
      decodeStrings: false,
      write: (line: string, _encoding, done) => {
        this.print(line.trimEnd());
        done();
      },
    });
  }

  #mayShow(): boolean {
    this.#shown++;
    if (this.#shown <= LINES_PER_PHASE) return true;
    this.#hidden++;
    return false;
  }

  #line(level: string, message: unknown, error: unknown, traceId: unknown): string {
    const paint = { error: this.#style.red, warn: this.#style.yellow }[level] ?? this.#style.green;
    const trace = traceId === undefined ? '' : ` ${String(traceId).slice(0, 8)}`;
    const room = WIDTH - INDENT - String(message).length - trace.length - ' ()'.length;
    const why = error === undefined ? '' : ` (${shorten(String(error), room)})`;
    return `  ${paint(level.padEnd(5))} ${String(message)}${this.#style.dim(why + trace)}`;
  }
}

/** The line that says how long everything took. */
export function closingLine(elapsedMs: number, sent: number): string {
  return `${sent} requests in ${formatMs(elapsedMs)}`;
}

/** No log line is longer than this. */
const WIDTH = 100;
/** What stands before a message: two spaces, the level, a space. */
const INDENT = 8;

function shorten(text: string, room: number): string {
  return text.length > room ? `${text.slice(0, Math.max(0, room - 1))}…` : text;
}
