import * as core from '../../src/core.ts';
import * as door from '../../src/index.ts';

it('the main entry exports everything that ./core does', () => {
  for (const [name, value] of Object.entries(core))
    expect([name, (door as Record<string, unknown>)[name]]).toEqual([name, value]);
  expect(Object.keys(door)).toEqual(
    expect.arrayContaining(['describeError', 'errorType', 'redact', 'createRedactor', 'setRedactor']),
  );
});
