/** Lets the first Ctrl-C, or SIGTERM, end the work in order, and the second one at once. */
export class Interruption implements Disposable {
  readonly #aborter = new AbortController();
  readonly #onFirst: () => void;
  readonly #exit: (status: number) => void;
  #by: NodeJS.Signals | undefined = undefined;

  /** @param onFirst tells the user what happens now */
  constructor(onFirst: () => void, exit: (status: number) => void = status => process.exit(status)) {
    this.#onFirst = onFirst;
    this.#exit = exit;
    for (const name of Object.keys(STATUS)) process.on(name, this.#interrupt);
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /** What the process is to end with, if it was interrupted: 128 and the number of the signal, as a shell has it. */
  get status(): number | undefined {
    return this.#by === undefined ? undefined : STATUS[this.#by];
  }

  [Symbol.dispose](): void {
    for (const name of Object.keys(STATUS)) process.off(name, this.#interrupt);
  }

  readonly #interrupt = (name: NodeJS.Signals): void => {
    if (this.#by !== undefined) {
      this.#exit(STATUS[name] ?? 1);
      return;
    }
    this.#by = name;
    this.#onFirst();
    this.#aborter.abort(new Error(name));
  };
}

const STATUS: { readonly [name in NodeJS.Signals]?: number } = { SIGINT: 130, SIGTERM: 143 };
