/** @type {(swc: object) => object} */
const transform = parser => ({
  '\\.ts$': [
    '@swc/jest',
    {
      jsc: { target: 'es2024', parser: { syntax: 'typescript', decorators: true }, transform: parser },
      module: { type: 'commonjs' },
    },
  ],
});

const common = {
  testEnvironment: 'node',
  transform: transform({ decoratorVersion: '2022-03' }),
  moduleNameMapper: {
    '^retryscope$': '<rootDir>/src/index.ts',
    '^retryscope/core$': '<rootDir>/src/core.ts',
    '^retryscope/testing$': '<rootDir>/src/testing/index.ts',
    '^retryscope/budget-redis$': '<rootDir>/src/limits/redis/index.ts',
    '^retryscope/propagation$': '<rootDir>/src/limits/propagation/index.ts',
    '^retryscope/(http|database|kafka|redis|files|grpc|classify|policy-file)$': '<rootDir>/src/services/$1/index.ts',
    '^retryscope/((?:dead-letters|durable)(?:/[a-z-]+)?)$': '<rootDir>/src/recovery/$1/index.ts',
    '^retryscope/winston$': '<rootDir>/instrumentation/loggers/winston.ts',
    '^retryscope/(.*)$': '<rootDir>/instrumentation/$1/index.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.stryker-tmp/', '<rootDir>/.cache/'],
};

/** Tests that start servers or processes of their own: most of them run in Node 24 alone. */
const SERVERS =
  '<rootDir>/test/(redis/(breakers|cluster|faults|fleet|scripts|secure)|(servers|libraries|register)/.*|cli/doctor|services/policy-file/reload|dead-letters/sqlite-crash)\\.test\\.ts';

module.exports = {
  // Against what hangs. How long something takes on a busy machine says nothing of what is tested.
  testTimeout: 30_000,
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/test/package/',
        '<rootDir>/test/legacy-decorators/',
        SERVERS,
        '<rootDir>/test/storm/',
        '<rootDir>/test/dashboards/',
      ],
    },
    {
      ...common,
      displayName: 'storm',
      testMatch: ['<rootDir>/test/storm/**/*.test.ts'],
    },
    {
      ...common,
      displayName: 'dashboards',
      testMatch: ['<rootDir>/test/dashboards/**/*.test.ts'],
    },
    {
      ...common,
      displayName: 'servers',
      testMatch: [
        '<rootDir>/test/redis/{breakers,cluster,faults,fleet,scripts,secure}.test.ts',
        '<rootDir>/test/{servers,libraries}/**/*.test.ts',
        '<rootDir>/test/{cli/doctor,services/policy-file/reload,dead-letters/sqlite-crash}.test.ts',
      ],
    },
    {
      ...common,
      displayName: 'register',
      testMatch: ['<rootDir>/test/register/**/*.test.ts'],
    },
    {
      ...common,
      displayName: 'opentelemetry-2',
      globals: { OPENTELEMETRY_LINE: 2 },
      testMatch: ['<rootDir>/test/spans/**/*.test.ts'],
      // The SDK of the 2.x line and the API that it asks for, in a folder of their own.
      moduleNameMapper: {
        ...common.moduleNameMapper,
        '^@opentelemetry/(.*)$': '<rootDir>/test/opentelemetry-2/node_modules/@opentelemetry/$1',
      },
    },
    {
      ...common,
      displayName: 'legacy-decorators',
      testMatch: ['<rootDir>/test/legacy-decorators/**/*.test.ts'],
      transform: transform({ legacyDecorator: true }),
    },
    {
      ...common,
      displayName: 'package',
      testMatch: ['<rootDir>/test/package/**/*.test.ts'],
      moduleNameMapper: {},
    },
  ],
};
