/** What is being done, on a terminal: a line that is written over, and taken away in the end. Elsewhere nothing. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  readonly #startedAt: number = performance.now();

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(what: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(0);
    this.#write(`\r\u001b[K${what} (${seconds} s)`);
  }

  clear(): void {
    this.#write('\r\u001b[K');
  }

  #write(text: string): void {
    if (this.#stream.isTTY) this.#stream.write(text);
  }
}
