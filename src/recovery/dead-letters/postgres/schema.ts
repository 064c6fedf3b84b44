import type { PostgresQueryable } from './clients.ts';
import type { TableNames } from './table-names.ts';

/** The version of the tables. A change needs a new number and one more entry in {@link stepsOf}. */
export const SCHEMA_VERSION = 2;

/** Whether the tables are missing, of an older version, or of the present one. */
export type SchemaAge = 'missing' | 'older' | 'present';

/**
 * Looks at what the tables are. Only reads, and nothing in it fails in a transaction where they are missing.
 *
 * @throws TypeError when the server is too old or its encoding is not UTF-8, when the table is another program's, or was
 * made by a newer version of the library
 */
export async function ageOf(client: PostgresQueryable, names: TableNames): Promise<SchemaAge> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::int AS server, current_setting('server_encoding') AS encoding,
      ${hasTable('$2')} AS letters, ${hasTable('$3')} AS version`,
    [names.schema, names.bare, `${names.bare}_version`],
  );
  const [found] = rows;
  if (Number(found?.server) < OLDEST_SERVER)
    throw new TypeError('PostgresDeadLetterStore needs PostgreSQL 12 or newer');
  if (found?.encoding !== 'UTF8') {
    throw new TypeError(`PostgresDeadLetterStore needs a database in UTF8; this one is in ${String(found?.encoding)}`);
  }
  if (found.version !== true) {
    if (found.letters !== true) return 'missing';
    throw new TypeError(`The table ${names.letters} is no store of dead letters: it is something else`);
  }
  const version = Number((await client.query(`SELECT version FROM ${names.version}`)).rows[0]?.version);
  if (version > SCHEMA_VERSION) {
    throw new TypeError(`The store of dead letters has version ${version}; this library knows ${SCHEMA_VERSION}`);
  }
  return version === SCHEMA_VERSION ? 'present' : 'older';
}

/** Brings the tables to the present version, if nobody has meanwhile. Runs inside a transaction. */
export async function migrate(client: PostgresQueryable, names: TableNames): Promise<void> {
  // Not in one statement with the lock: what another process has made is seen only by one that begins later.
  const age = await ageOf(client, names);
  if (age === 'present') return;
  const version =
    age === 'missing' ? 0 : Number((await client.query(`SELECT version FROM ${names.version}`)).rows[0]?.version);
  for (const step of stepsOf(names).slice(version)) await client.query(step);
  await client.query(`UPDATE ${names.version} SET version = ${SCHEMA_VERSION}`);
}

const OLDEST_SERVER = 120_000;

/** A query and not `to_regclass`: that one remembers what was not there before this session waited for a lock. */
function hasTable(name: string): string {
  return `EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = ${name})`;
}

/** Each leads from the version of its place to the next. */
function stepsOf({ schema, bare, letters, totals, version }: TableNames): readonly string[] {
  const count = `"${schema}"."${bare}_count"`;
  const trigger = (event: string, rows: string, when: string): string =>
    `CREATE TRIGGER "${bare}_${event}" AFTER ${when} ON ${letters} ${rows} FOR EACH STATEMENT EXECUTE FUNCTION ${count}();`;
  return [
    `
    CREATE TABLE ${letters} (
      id text COLLATE "C" PRIMARY KEY,
      queue text COLLATE "C" NOT NULL,
      operation text NOT NULL,
      error_type text NOT NULL,
      reason text NOT NULL,
      redrives bigint NOT NULL,
      first_failed_at bigint NOT NULL,
      last_failed_at bigint NOT NULL,
      died_at bigint NOT NULL,
      state text NOT NULL CHECK (state IN ('dead', 'claimed', 'redriven', 'quarantined')),
      state_at bigint,
      why text,
      claim_token text,
      claim_owner text,
      claim_until bigint,
      last_owner text,
      bytes bigint NOT NULL,
      body text NOT NULL
    );
    CREATE INDEX "${bare}_by_age" ON ${letters} (died_at, id);
    CREATE INDEX "${bare}_by_state" ON ${letters} (queue, state, died_at, claim_until, bytes);
    CREATE INDEX "${bare}_open" ON ${letters} (queue, died_at, id) WHERE state IN ('dead', 'claimed');
    CREATE INDEX "${bare}_records" ON ${letters} (died_at, id) WHERE state = 'redriven';
    CREATE TABLE ${version} (version integer NOT NULL);
    INSERT INTO ${version} VALUES (${SCHEMA_VERSION});
    CREATE TABLE ${totals} (letters bigint NOT NULL, bytes bigint NOT NULL)
      WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
    CREATE FUNCTION ${count}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        INSERT INTO ${totals} SELECT count(*), sum(bytes) FROM added HAVING count(*) > 0;
      ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO ${totals} SELECT -count(*), -sum(bytes) FROM removed HAVING count(*) > 0;
      ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO ${totals} SELECT 0, difference FROM
          (SELECT (SELECT coalesce(sum(bytes), 0) FROM added) - (SELECT coalesce(sum(bytes), 0) FROM removed) AS difference) AS sums
          WHERE difference <> 0;
      ELSE
        DELETE FROM ${totals};
      END IF;
      RETURN NULL;
    END $$;
    ${trigger('added', 'REFERENCING NEW TABLE AS added', 'INSERT')}
    ${trigger('removed', 'REFERENCING OLD TABLE AS removed', 'DELETE')}
    ${trigger('changed', 'REFERENCING OLD TABLE AS removed NEW TABLE AS added', 'UPDATE')}
    ${trigger('emptied', '', 'TRUNCATE')}
    `,
    // Of the last owner alone nobody can tell who was given the letter before.
    `ALTER TABLE ${letters} DROP COLUMN last_owner, ADD COLUMN owners text COLLATE "C" NOT NULL DEFAULT ''`,
  ];
}
