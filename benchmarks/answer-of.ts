import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until there is an answer: a server that was just started refuses connections for a while. */
export async function answerOf<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === 200) throw error;
      await sleep(50);
    }
  }
}
