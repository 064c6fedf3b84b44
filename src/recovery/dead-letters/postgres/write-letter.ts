import type { DeadLetter } from '../letter.ts';
import { COLUMNS } from '../letter-row.ts';
import { isRemains } from '../letter-text.ts';
import type { PostgresQueryable } from './clients.ts';
import { writeRow } from './rows.ts';
import { Statement } from './statement.ts';
import type { TableNames } from './table-names.ts';

/** Values as `writeRow` gives them. */
type Values = readonly (string | number | null)[];

/** The size of a letter. */
export function bytesIn(values: Values): number {
  return Number(values[BYTES]);
}

/** Adds a letter. Where one of this id is there, nothing happens, and nothing fails. */
export async function insertLetter(
  client: PostgresQueryable,
  { letters }: TableNames,
  id: string,
  values: Values,
): Promise<'stored' | 'present'> {
  const statement = new Statement();
  const bound = [statement.bind(id), ...values.map(statement.bindAsIs)];
  const text = `INSERT INTO ${letters} (id, ${COLUMNS.join(', ')}) VALUES (${bound.join(', ')}) ON CONFLICT (id) DO NOTHING`;
  return (await client.query(text, statement.values)).rowCount === 1 ? 'stored' : 'present';
}

/** Writes what became of a letter, which nobody holds any longer. */
export async function updateLetter(
  client: PostgresQueryable,
  { letters }: TableNames,
  letter: DeadLetter,
  further?: 'forget the owners',
): Promise<void> {
  const statement = new Statement();
  const values = writeRow(letter);
  // What could not be read keeps its text.
  const columns = isRemains(letter) ? COLUMNS.slice(0, BYTES) : COLUMNS;
  const set = [...columns.map((column, i) => `${column} = ${statement.bindAsIs(values[i])}`), NO_CLAIM];
  if (further !== undefined) set.push("owners = ''");
  const where = `id = ${statement.bind(letter.id)}`;
  await client.query(`UPDATE ${letters} SET ${set.join(', ')} WHERE ${where}`, statement.values);
}

/** What a letter has that nobody holds. */
export const NO_CLAIM = 'claim_token = NULL, claim_owner = NULL, claim_until = NULL';

const BYTES = COLUMNS.indexOf('bytes');
