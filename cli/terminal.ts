import picocolors from 'picocolors';

/** Paints texts, or leaves them as they are. */
export type Colors = ReturnType<typeof picocolors.createColors>;

/** How wide a table may be. A terminal that does not know how wide it is says 0. */
export function columns(): number {
  return process.stdout.columns || Number(process.env.COLUMNS) || Infinity;
}

/**
 * On a terminal only, for also a CI that could show colours writes into a file; unless `FORCE_COLOR` asks for them. `NO_COLOR`
 * is stronger.
 */
export function terminalColors(): Colors {
  const { NO_COLOR = '', FORCE_COLOR = '' } = process.env;
  const isForced = FORCE_COLOR !== '' && FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  const isShown = process.stdout.isTTY === true && picocolors.isColorSupported && FORCE_COLOR !== '0';
  return picocolors.createColors(NO_COLOR === '' && (isForced || isShown));
}
