import { BROKEN, SOUND } from './broken.ts';
import { isLogql } from './logql.ts';
import { lint, RULES } from './rules.ts';

it('refuses nothing in a dashboard that is sound', () => {
  expect(lint(SOUND)).toEqual([]);
});

it.each(BROKEN)('refuses $what by $rule, and by no other rule', ({ rule, dashboard }) => {
  const rules = lint(dashboard).map(finding => finding.rule);
  expect(rules).toContain(rule);
  // A data source that is gone or renamed is missed by all that refer to it.
  expect(rules.filter(name => name !== rule && !/datasource|template-(job|instance)/.test(name))).toEqual([]);
});

it('has a broken dashboard for every rule', () => {
  expect([...new Set(BROKEN.map(({ rule }) => rule))].sort()).toEqual(RULES.map(({ name }) => name).sort());
});

it.each([
  '{service_name=~".+"}',
  '{service_name="shop", level=~"warn|error"} |= "a \\"b\\"" != `c`',
  '{service_name=~".+"} | json | operation=~"$operation" | attempt!="" or attempts!=""',
  '{service_name=~".+"} | logfmt | attempts>=3 and delay_seconds>0.5',
  'rate({service_name="shop"}[$__auto])',
  'sum by (level) (count_over_time({service_name="shop"} |= "retry" [$__auto]))',
])('takes %s for LogQL', query => {
  expect(isLogql(query)).toBe(true);
});
