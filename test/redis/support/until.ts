/**
 * Resolves as soon as the condition holds; rejects when it does not in `limitMs`. A condition that throws does not hold.
 * It is looked at once more after the limit: a machine that stood still may have left it no other chance.
 */
export async function until(condition: () => boolean | Promise<boolean>, limitMs: number = 30_000): Promise<void> {
  const end = performance.now() + limitMs;
  let fault: unknown;
  for (let isLast = false; !isLast; ) {
    isLast = performance.now() >= end;
    try {
      if (await condition()) return;
    } catch (error) {
      fault = error;
    }
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  throw new Error(`not within ${limitMs} ms: ${condition.toString()}`, { cause: fault });
}
