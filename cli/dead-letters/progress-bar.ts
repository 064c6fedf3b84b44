import cliProgress from 'cli-progress';
import { sayDuration } from './duration.ts';

/** How far a long piece of work is: a bar on a terminal, which is taken away in the end. Elsewhere nothing. */
export class ProgressBar {
  readonly #bar: cliProgress.SingleBar | undefined;

  /** @param what a word or two, such as `counting` */
  constructor(stream: NodeJS.WriteStream, what: string, total: number) {
    if (!stream.isTTY) return;
    this.#bar = new cliProgress.SingleBar(
      {
        stream,
        format: `${what} {bar} {percentage} % · {value} of {total} · {eta_formatted}`,
        formatTime: sayRest,
        barsize: BAR_WIDTH,
        clearOnComplete: true,
        etaBuffer: LETTERS_FOR_ETA,
        gracefulExit: false,
      },
      cliProgress.Presets.shades_classic,
    );
    this.#bar.start(total, 0);
  }

  /** `done` may become more than was thought. */
  show(done: number): void {
    if (this.#bar === undefined) return;
    if (done > this.#bar.getTotal()) this.#bar.setTotal(done);
    this.#bar.update(done);
  }

  clear(): void {
    this.#bar?.stop();
  }
}

/** While nothing is done yet, it gives words instead of seconds. */
function sayRest(seconds: unknown): string {
  return typeof seconds === 'number' ? `${sayDuration(seconds * 1000)} left` : '';
}

const BAR_WIDTH = 30;
const LETTERS_FOR_ETA = 50;
