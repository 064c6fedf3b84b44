import { ProgressLine } from '../progress-line.ts';

/** Does something that may take long, with a line on the terminal that says what, and for how long already. */
export async function whileShowing<T>(what: string, work: () => Promise<T>): Promise<T> {
  const progress = new ProgressLine(process.stderr);
  progress.show(what);
  const turns = setInterval(() => progress.show(what), 1000);
  try {
    return await work();
  } finally {
    clearInterval(turns);
    progress.clear();
  }
}
