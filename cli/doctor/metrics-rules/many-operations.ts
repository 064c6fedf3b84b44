import type { Rule } from '../finding.ts';
import { label, type MetricsView, series, sumBy } from '../metrics-view.ts';
import { list, number } from '../say.ts';

/** Names of operations that have something of a single call in them. */
export const manyOperations: Rule<MetricsView> = {
  code: 'many-operations',
  severity: 'warning',
  why: 'Each operation is dozens of series, and beyond 200 of them further ones are shown as other.',
  fix: 'Name what is done (get_user), not what it is done to (get_user_42): keep ids out of operation.',
  find: view => {
    const names = [...sumBy(view.of('calls'), label('operation')).keys()];
    const withId = names.filter(name => ID.test(name));
    const where = series('calls');
    if (names.length > MANY) return [{ where, what: `There are ${number(names.length)} operations.` }];
    return withId.length >= SEVERAL
      ? [{ where, what: `Operations look as if they had ids in them: ${list(withId)}.` }]
      : [];
  },
};

const MANY = 100;
const SEVERAL = 3;
/** Numbers of three digits or more, hexadecimal ids, UUIDs, URLs with a query. */
const ID = /\d{3,}|\b[\da-f]{12,}\b|[\da-f]{8}-[\da-f]{4}|\?\w+=/i;
