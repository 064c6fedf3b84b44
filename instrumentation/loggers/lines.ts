import { reportFault } from '../../src/engine/faults.ts';
import type { Levels, LogMessage } from './levels.ts';
import type { LogFields, LogSink } from './log-sink.ts';

/** A line that is about to be written. */
export interface Line {
  readonly text: string;
  readonly fields: LogFields;
}

/** Where the lines of one logger go, each at the level of its message. */
export class Lines {
  readonly #sink: LogSink;
  readonly #levels: Levels;

  constructor(sink: LogSink, levels: Levels) {
    this.#sink = sink;
    this.#levels = levels;
  }

  /** Builds and writes a line, if its level is on; a fault of the logger ends here. */
  write(message: LogMessage, build: () => Line): void {
    const level = this.#levels[message];
    if (level === 'off') return;
    try {
      if (!this.#sink.isEnabled(level)) return;
      const { text, fields } = build();
      const written = this.#sink.write({ level, message: text, fields });
      if (isThenable(written)) Promise.resolve(written).catch(fault => reportFault('logger', fault));
    } catch (fault) {
      reportFault('logger', fault);
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
