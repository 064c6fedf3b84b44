import { setTimeout as delay } from 'node:timers/promises';

const PATIENCE_MS = 60_000;
const PAUSE_MS = 50;

/**
 * Waits until `condition` gives something true, and gives that. A condition that throws is not met yet.
 *
 * @throws Error with the last reason, after a minute
 */
export async function until<T>(condition: () => Promise<T> | T, pauseMs: number = PAUSE_MS): Promise<NonNullable<T>> {
  const last = performance.now() + PATIENCE_MS;
  let reason: unknown = 'the condition was never met';
  while (performance.now() < last) {
    try {
      const value = await condition();
      if (value) return value as NonNullable<T>;
    } catch (error) {
      reason = error;
    }
    await delay(pauseMs);
  }
  throw new Error(`Given up after ${PATIENCE_MS / 1000} s: ${String(reason)}`);
}
