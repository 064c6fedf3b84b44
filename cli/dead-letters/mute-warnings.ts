/**
 * Keeps warnings of the process from standard error about which the user of a command can do nothing: that SQLite is
 * experimental in Node 22, and that kafkajs has asked for a timer in the past. Gives a function that ends it.
 */
export function muteWarnings(): () => void {
  const { emitWarning } = process;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]): void => {
    if (!MUTED.some(pattern => pattern.test(String(warning)))) Reflect.apply(emitWarning, process, [warning, ...rest]);
  }) as typeof emitWarning;
  return () => {
    process.emitWarning = emitWarning;
  };
}

const MUTED = [/SQLite is an experimental/, /^(TimeoutNegativeWarning: )?-\d+(\.\d+)? is a negative number/];
