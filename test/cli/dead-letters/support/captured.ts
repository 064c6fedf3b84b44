/** What `work` writes to standard output and standard error, and what it gives. */
export async function captured<T>(
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly out: string; readonly err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const keep = (texts: string[]) => (text: string | Uint8Array) => {
    texts.push(String(text));
    return true;
  };
  const spies = [
    jest.spyOn(process.stdout, 'write').mockImplementation(keep(out)),
    jest.spyOn(process.stderr, 'write').mockImplementation(keep(err)),
  ];
  try {
    return { value: await work(), out: out.join(''), err: err.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
