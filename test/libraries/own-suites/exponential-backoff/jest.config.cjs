const { dirname, join } = require('node:path');

/**
 * The spec of exponential-backoff's function as it is, with the function patched. Its other specs are about inner classes
 * that no patch touches, and were written for a jest of 2019.
 */
module.exports = {
  rootDir: join(dirname(require.resolve('exponential-backoff/package.json')), 'src'),
  testMatch: ['<rootDir>/backoff.spec.ts'],
  testPathIgnorePatterns: [],
  haste: { retainAllFiles: true },
  transform: { '\\.ts$': [require.resolve('@swc/jest'), { jsc: { target: 'es2024' }, module: { type: 'commonjs' } }] },
  transformIgnorePatterns: [],
  moduleNameMapper: { '^\\./backoff$': join(__dirname, 'patched.ts') },
  setupFilesAfterEnv: [join(__dirname, 'patience.ts')],
};
