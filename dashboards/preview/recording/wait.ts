import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks every 200 ms until there is an answer.
 *
 * @throws what `ask` throws; Error after `seconds` without an answer; AbortError
 */
export async function waitFor<T>(
  what: string,
  seconds: number,
  signal: AbortSignal,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await delay(200, undefined, { signal });
  }
  throw new Error(`Waited ${seconds} s in vain for ${what}`);
}
