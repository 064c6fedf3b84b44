import { patchSafely } from '../../instrumentation/register/bridge.ts';
import { folderWith, packageFolder, runApp } from './support/run-app.ts';

// Processes are started here, on machines that may be busy.
jest.setTimeout(60_000);
beforeAll(packageFolder, 60_000);

/** A package of a version that a patch is for, and of a shape that it is not for. */
const STRANGE = {
  'node_modules/p-retry/package.json': JSON.stringify({ name: 'p-retry', version: '9.0.0', main: 'index.js' }),
  'node_modules/p-retry/index.js': 'exports.other = () => 42;',
};

describe('a patch that fails', () => {
  it.each([
    ['mjs', `import { other } from 'p-retry'; const again = await import('p-retry'); report(other());`],
    ['cjs', `const { other } = require('p-retry'); require('p-retry'); report(other());`],
  ] as const)('leaves the library as it was, and says so once (%s)', async (type, main) => {
    const { reported, stderr, code } = await runApp({ type, main, files: STRANGE });
    expect([reported, code]).toEqual([[42], 0]);
    expect(stderr.match(/RETRYSCOPE_PATCH/g)).toHaveLength(1);
    expect(stderr).toContain('p-retry stays as it is, and its retries unseen');
  });

  it('leaves the exports themselves', () => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const exports = { a: 1 };
    const library = { name: 'x', does: 'observes', module: 'x', versions: ['*'] } as const;
    const patch = (): never => {
      throw null;
    };
    expect(patchSafely({ ...library, patch }, exports)).toBe(exports);
    expect(warned.mock.calls).toEqual([
      [expect.stringContaining('x stays as it is'), { type: 'RetryscopeWarning', code: 'RETRYSCOPE_PATCH' }],
    ]);
    warned.mockRestore();
  });
});

describe('a version that no patch is known to fit', () => {
  it('is left alone', async () => {
    const files = { ...STRANGE, 'node_modules/p-retry/package.json': '{ "name": "p-retry", "version": "42.0.0" }' };
    const { reported, stderr } = await runApp({ main: `import { other } from 'p-retry'; report(other());`, files });
    expect([reported, stderr]).toEqual([[42], '']);
  });
});

describe('without the package that hooks modules', () => {
  it('says so once, and retries fetch by the policy file all the same', async () => {
    const services = [{ kind: 'http', policy: { maxAttempts: 3, initialDelay: 1 } }];
    const { reported, stderr, code } = await runApp(
      {
        main: `
          import { createServer } from 'node:http';
          let count = 0;
          const server = createServer((request, response) => { response.statusCode = ++count < 3 ? 503 : 200; response.end(); });
          server.listen(0, '127.0.0.1', async () => {
            report((await fetch('http://127.0.0.1:' + server.address().port)).status);
            server.close();
            server.closeAllConnections();
          });`,
        files: { 'retryscope.config.json': JSON.stringify({ services }) },
      },
      folderWith(['@opentelemetry/api']),
    );
    expect([reported, code]).toEqual([[200], 0]);
    expect(stderr.match(/needs the package @opentelemetry\/instrumentation/g)).toHaveLength(1);
  });
});
