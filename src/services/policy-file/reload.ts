import { statSync } from 'node:fs';
import { systemClock } from '../../engine/system-clock.ts';

/**
 * Calls `read` whenever a file has changed since `seen`, by looking at it every `everyMs`, until `signal` aborts. What
 * `read` rejects with becomes a process warning: there is nobody else to tell.
 *
 * Node's own `watchFile` would miss a change between the first reading and its first look.
 */
export async function keepReading(
  path: string,
  everyMs: number,
  signal: AbortSignal | undefined,
  seen: string,
  read: () => Promise<void>,
): Promise<void> {
  for (let last = seen; ; ) {
    try {
      await systemClock.sleep(everyMs, signal, 'unref');
    } catch {
      return;
    }
    const now = traceOf(path);
    if (now === last) continue;
    last = now;
    await read().catch((error: unknown) => {
      process.emitWarning(`The policies stay as they were: ${(error as Error).message}`, {
        type: 'RetryscopeWarning',
        code: 'RETRYSCOPE_CONFIG',
      });
    });
  }
}

/** What changes when a file does: also when another takes its place, which is how editors and deployments save. */
export function traceOf(path: string): string {
  const { ino, size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return `${ino} ${size} ${mtimeMs}`;
}
