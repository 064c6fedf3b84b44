import { createInterface } from 'node:readline/promises';

/** Asks a question on a terminal; `y` is a yes. Ctrl-C and the end of the input are a no. */
export async function ask(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<'yes' | 'no'> {
  const terminal = createInterface({ input, output });
  const gone = new AbortController();
  terminal.once('SIGINT', () => terminal.close());
  terminal.once('close', () => gone.abort());
  try {
    const answer = await terminal.question(question, { signal: gone.signal });
    return /^y(es)?$/i.test(answer.trim()) ? 'yes' : 'no';
  } catch {
    output.write('\n');
    return 'no';
  } finally {
    terminal.close();
  }
}
