import { Pool } from 'pg';
import { retry } from 'retryscope/core';
import { retryQuery, retryTransaction } from 'retryscope/database';
import { type AllSinks, SINKS, startSinks } from '../services/support/all-sinks.ts';
import { leakOf, type SecretShape } from '../services/support/secret-shapes.ts';
import { describeWithProgram } from '../support/needs-program.ts';
import { outcomeOf } from '../support/settle.ts';
import { hasPostgres, type OwnPostgres, startPostgres } from './postgres.ts';

// Real servers on real time, on machines that may be busy.
jest.setTimeout(60_000);

const TWICE = { retryOn: () => true, maxAttempts: 2, initialDelay: 1, maxDelay: 1 } as const;

/** Values that look like no secret: nothing but the place in which they stand tells that they are to be hidden. */
const VALUES: readonly SecretShape[] = [
  { name: 'a name', secret: 'Jane Marigold', text: 'Jane Marigold' },
  { name: 'a name in quotes', secret: 'Jane Marigold', text: 'dr" is "Jane Marigold" (sic) \'x\' for key' },
  { name: 'a name in lines', secret: 'Jane Marigold', text: 'dr\n    at "home" (x.js:1:2)\nJane Marigold' },
];

/** Statements that PostgreSQL refuses, and with which code; most of its answers quote the parameter. */
const REFUSED: readonly (readonly [code: string, statement: string])[] = [
  ['22P02', 'SELECT $1::text::integer'],
  ['22P02', 'SELECT $1::text::uuid'],
  ['22P02', 'SELECT $1::text::boolean'],
  ['22P02', 'SELECT $1::text::mood'],
  ['22P02', "SELECT ('{' || $1::text)::jsonb"],
  ['22P02', 'SELECT $1::text::int[]'],
  ['22P02', 'SELECT $1::text::inet'],
  ['22007', 'SELECT $1::text::timestamptz'],
  ['22003', "SELECT ('9999' || length($1::text) || '99999999')::integer"],
  ['22001', 'INSERT INTO secrets (short) VALUES ($1)'],
  ['2201B', "SELECT 'x' ~ ($1::text || '(')"],
  ['23505', 'INSERT INTO secrets (token) VALUES ($1), ($1)'],
  ['23514', 'INSERT INTO secrets (token, age) VALUES ($1, -1)'],
  ['23502', 'INSERT INTO secrets (token, name) VALUES ($1, NULL)'],
  ['23503', 'INSERT INTO secrets (parent) VALUES ($1)'],
];

describeWithProgram(
  { name: 'PostgreSQL', debianPackage: 'postgresql', isThere: hasPostgres() },
  'a parameter that PostgreSQL refuses',
  () => {
    let postgres: OwnPostgres;
    let pool: Pool;
    let sinks: AllSinks;
    beforeAll(async () => {
      postgres = await startPostgres();
      await postgres.ask("CREATE TYPE mood AS ENUM ('good')");
      await postgres.ask(
        "CREATE TABLE secrets (token text UNIQUE, short varchar(3), age int CHECK (age > 0), name text NOT NULL DEFAULT '', parent text REFERENCES secrets (token))",
      );
      pool = new Pool(postgres.config);
      sinks = startSinks();
    });
    afterAll(async () => {
      sinks?.end();
      await pool?.end();
      await postgres?.end();
    });

    describe.each(REFUSED)('with %s: %s', (code, statement) => {
      it.each(VALUES)('is seen by nobody: $name', async shape => {
        const errors = await refusals(statement, shape);
        expect(errors).toEqual(Array(3).fill(expect.objectContaining({ code })));
        const told = await sinks.take();
        for (const sink of SINKS) expect([sink, leakOf(shape, told[sink])]).toEqual([sink, undefined]);
        expect(told['log function']).toContain(`"error":"${code}: `);
        // The caller's own error says what PostgreSQL has said.
        if (statement.startsWith('SELECT $1::text::int')) {
          expect(String(errors[0])).toContain(shape.text);
        }
      });
    });

    /** What callers get from a query, from a transaction, and from a mapper that has wrapped the error. */
    async function refusals(statement: string, { text }: SecretShape): Promise<unknown[]> {
      const service = { ...TWICE, budget: 'none' } as const;
      const wrapped = async (): Promise<never> => {
        const error = await pool.query(statement, [text]).catch((caught: unknown) => caught);
        const { message, code } = error as { message: string; code: string };
        throw Object.assign(new Error(`could not save: ${message}`, { cause: error }), { code });
      };
      const settled = [
        await outcomeOf(retryQuery(pool, statement, [text], service)),
        await outcomeOf(retryTransaction(pool, client => client.query(statement, [text]), service)),
        await outcomeOf(retry(wrapped, TWICE)),
      ];
      return settled.map(each => ('error' in each ? each.error : each.value));
    }
  },
);
