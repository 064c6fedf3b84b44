import { statSync } from 'node:fs';
import { read } from '../../engine/read.ts';
import { systemClock } from '../../engine/system-clock.ts';

/**
 * Calls `take` whenever a file has changed since `seen` and has then been the same at two looks in a row, by looking at
 * it every `everyMs`, until `signal` aborts. What `take` rejects with becomes a process warning: there is nobody else to
 * tell.
 *
 * Node's own `watchFile` would miss a change between the first reading and its first look, and `watch` a file that
 * another takes the place of.
 */
export async function keepReading(
  path: string,
  everyMs: number,
  signal: AbortSignal | undefined,
  seen: string,
  take: () => Promise<void>,
): Promise<void> {
  let [taken, last] = [seen, seen];
  while (await pause(everyMs, signal)) {
    const now = traceOf(path);
    const isStill = now === last;
    last = now;
    if (!isStill || now === taken) continue;
    taken = now;
    await take().catch(warn);
  }
}

/** What changes when a file does: also when another takes its place, which is how editors and deployments save. */
export function traceOf(path: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    return String(read(error, 'code'));
  }
}

/** False once the signal has aborted. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  return systemClock.sleep(ms, signal, 'unref').then(
    () => true,
    () => false,
  );
}

function warn(error: unknown): void {
  process.emitWarning(`The policies stay as they were: ${(error as Error).message}`, {
    type: 'RetryscopeWarning',
    code: 'RETRYSCOPE_CONFIG',
  });
}
