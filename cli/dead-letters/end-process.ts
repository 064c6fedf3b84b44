/**
 * Ends the process when its work is done, although a module of the user's may hold connections open for ever. What listens
 * for the end of the work, such as telemetry that has something left to send, gets its time.
 */
export function endProcess(): void {
  const timer = setTimeout(() => {
    if (process.listenerCount('beforeExit') === 0) process.exit();
    process.emit('beforeExit', Number(process.exitCode ?? 0));
    setTimeout(() => process.exit(), LAST_WORDS_MS).unref();
  }, PATIENCE_MS);
  timer.unref();
}

/** For what goes by itself, such as a connection that is being closed. */
const PATIENCE_MS = 500;
/** A little longer than the library's own telemetry takes for its last export. */
const LAST_WORDS_MS = 5500;
