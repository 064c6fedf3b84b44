import { join } from 'node:path';
import { readScenarios, SCENARIOS } from './scenarios.ts';
import { expectContent, testEachWith } from './tools.ts';

testEachWith(
  'promtool',
  'the rules do what %s says',
  readScenarios().map(({ name }) => [name, name] as const),
  name => expectContent('promtool', ['test', 'rules', join(SCENARIOS, name)]),
);
