import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = process.cwd();
const suites = join(root, 'test/libraries/own-suites');
const run = promisify(execFile);
const { NODE_ENV: _, NODE_OPTIONS: __, ...env } = process.env;

// One of retry's own checks allows 20 ms for three waits, which a busy machine does not always keep.
jest.retryTimes(10, { waitBeforeRetry: 1000 });

describe('the test suites that libraries bring along, with our patch on', () => {
  it('exponential-backoff passes its own', async () => {
    const jest = join(root, 'node_modules/jest/bin/jest.js');
    const args = [jest, '--config', join(suites, 'exponential-backoff/jest.config.cjs'), '--json'];
    const { stdout } = await run(process.execPath, args, { env, encoding: 'utf8', maxBuffer: 2 ** 24 });
    const { numFailedTests, numPassedTests, numTotalTests, testResults } = JSON.parse(stdout);
    expect({ numFailedTests, files: testResults.length }).toEqual({ numFailedTests: 0, files: 1 });
    expect(numPassedTests).toBe(numTotalTests);
    expect(numPassedTests).toBe(12);
  }, 60_000);

  const files = globSync(join(root, 'node_modules/retry-0.12/test/integration/*.js'));

  it('retry 0.12 has one', () => expect(files).toHaveLength(4));

  it.each(files.map(file => [file.slice(file.lastIndexOf('/') + 1), file]))(
    'retry 0.12 passes %s',
    async (_, file) => {
      // It ends with status 1 at an assertion that fails, and at a callback that it expected in vain.
      const args = ['--require', join(suites, 'retry/patch.ts'), file];
      const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], { env });
      // Only one of the files makes no call.
      expect(stdout).toMatch(file.endsWith('test-timeouts.js') ? /calls watched: 0/ : /calls watched: [1-9]/);
    },
    30_000,
  );
});
