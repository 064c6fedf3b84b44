const { projects } = require('./jest.config.cjs');

/** The tests that hold src/engine and src/limits: fast ones only, since they run for each of thousands of mutants. */
const { displayName: _name, ...unit } = projects[0];

module.exports = {
  ...unit,
  // A mutant that hangs is to fail its test, which is quicker than to lose the process to Stryker's own limit.
  testTimeout: 400,
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  testMatch: [
    '<rootDir>/test/{engine,forms,seam,defects,limits}/**/*.test.ts',
    '<rootDir>/test/describe/*.test.ts',
    '<rootDir>/test/propagation/{headers,middleware-calls,numbers}.test.ts',
    '<rootDir>/test/redis/{budget,commands,properties,requests,share-breaker,store}.test.ts',
  ],
  // Which mutant makes a pattern slow is not what these tests are to find out, again and again.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/describe/redact-time\\.test\\.ts'],
};
