import type { PostgresQueryable } from './clients.ts';
import type { TableNames } from './table-names.ts';

/** Warns of what makes letters that were acknowledged disappear in a crash of the server: once in a process of each thing. */
export async function warnOfLosses(client: PostgresQueryable, names: TableNames): Promise<void> {
  const { rows } = await client.query(
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
      (SELECT relpersistence FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2) AS persistence`,
    [names.schema, names.bare],
  );
  const [found] = rows;
  if (found?.persistence !== 'p') {
    warn(`The table ${names.letters} is UNLOGGED or TEMPORARY: a crash of the server empties it.`);
  }
  if (found?.fsync === 'off') warn('The server has fsync = off: a power cut destroys what it has acknowledged.');
  if (found?.synchronous_commit === 'off') {
    warn(
      'synchronous_commit is off here: what a transaction of yours keeps by enqueue() may be lost in a crash of the server. The transactions of the store itself wait for the disk all the same.',
    );
  }
}

const warned = new Set<string>();

function warn(words: string): void {
  if (warned.has(words)) return;
  warned.add(words);
  try {
    process.emitWarning(words, { type: 'RetryscopeWarning', code: 'RETRYSCOPE_NOT_DURABLE' });
  } catch {
    // A process that forbids warnings has said that it does not want to know.
  }
}
