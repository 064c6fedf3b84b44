import fc from 'fast-check';
import { isPlainRead } from 'retryscope/database';
import { mayLastInPart } from '../../../src/services/database/plain-read.ts';
import { startCpuTimer } from '../../engine/support/cpu-timer.ts';

describe('a statement that surely only reads', () => {
  it.each([
    'SELECT 1',
    ' select * from users where id = $1; ',
    'SELECT count(*), max(updated_at) FROM orders WHERE status IN ($1, $2) AND note = \'delete; me("now")\'',
    'SELECT "drop" FROM "update" WHERE a = \'it\'\'s\'',
    'SELECT * FROM `order` WHERE `set` = ?',
    '-- latest\nSELECT id FROM a /* insert */ JOIN b USING (id) ORDER BY now() - created LIMIT 5',
    'WITH recent AS (SELECT * FROM orders WHERE at > now()) SELECT count(*) FROM recent',
    '(SELECT 1) UNION (SELECT 2)',
    'VALUES (1), (2)',
    'TABLE users',
    'SHOW server_version',
    'EXPLAIN SELECT 1',
    'SELECT x FROM t WHERE EXISTS (SELECT 1) AND (a OR b)',
  ])('%s', statement => {
    expect(isPlainRead(statement)).toBe(true);
  });
});

describe('a statement that may do more', () => {
  it.each([
    '',
    'INSERT INTO t VALUES (1)',
    'SELECT 1; DELETE FROM t',
    'SELECT nextval($1)',
    "SELECT pg_notify('a', 'b')",
    'SELECT charge(1)',
    'SELECT charge /* now */ (1)',
    'SELECT app.count(1)',
    'SELECT app . count(1)',
    'SELECT "charge"(1)',
    'SELECT NEXT VALUE FOR s',
    'SELECT @a := 1',
    'SELECT * INTO copy FROM t',
    'SELECT * FROM t FOR UPDATE',
    'WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone',
    'EXPLAIN ANALYZE DELETE FROM t',
    'EXPLAIN (ANALYZE) SELECT charge_all()',
    'CALL charge()',
    'DO $$ BEGIN END $$',
    "SELECT E'\\'', charge(1) --'",
    "SELECT '\\', charge(1), '",
    'SELECT 1--charge(1)',
    'SELECT /*! charge(1) */ 1',
    'SELECT /* a /* b */ charge(1) */ 1',
    "SELECT 'open",
    'SELECT $tag$ text $tag$',
    'SELECT écount(1)',
    'SELECT 1 # comment',
    `SELECT '${'x'.repeat(100_000)}'`,
  ])('%.60s', statement => {
    expect(isPlainRead(statement)).toBe(false);
  });

  it('is found wherever the call of an unknown function stands', () => {
    const piece = fc.constantFrom(
      "'it''s'",
      '"a b"',
      '-- c\n',
      '/* d */',
      ' ',
      ', ',
      '1',
      ' FROM t WHERE ',
      '$1',
      '(2)',
    );
    fc.assert(
      fc.property(fc.array(piece), fc.array(piece), (before, after) => {
        expect(isPlainRead(`SELECT ${before.join(' ')} charge(1) ${after.join(' ')}`)).toBe(false);
      }),
    );
  });

  it('is never a matter of much time', () => {
    const long = 99_000;
    const taken = startCpuTimer();
    for (const part of [' ', "'", '"', '`', '-- ', '/*', '/* */', 'x', 'x ', '(', '.', ';', '. ', "''", '*/', '$a']) {
      const text = `SELECT ${part.repeat(Math.floor(long / part.length))}`;
      for (const statement of [text, `${text}!`, `${text} x`]) {
        isPlainRead(statement);
        mayLastInPart(statement);
      }
    }
    expect(taken()).toBeLessThan(5000);
  });
});

it.each([
  ['INSERT INTO t VALUES (1);', false],
  ["INSERT INTO t VALUES ('a;b')", false],
  ["INSERT INTO t VALUES (E'a\\'b') ON CONFLICT DO NOTHING", false],
  ['INSERT INTO `t` VALUES (?)', false],
  ['UPDATE t SET a = 1; UPDATE t SET b = 1', true],
  ['CALL move(1)', true],
  ['/* x */ call move(1)', true],
  ['DO $$ BEGIN COMMIT; END $$', true],
  ["-- x\nCALL move(E'\\\\')", true],
])('of %j a part may last: %p', (statement, expected) => {
  expect(mayLastInPart(statement)).toBe(expected);
});
