import { type App, packageFolder, runApp, sdk } from './support/run-app.ts';

// Processes are started here, on machines that may be busy.
jest.setTimeout(60_000);
beforeAll(packageFolder, 60_000);

/** Two failures, then a success. */
const RETRIED = `
  const retried = async (pRetry, name = 'load_user') => {
    let calls = 0;
    await pRetry(Object.defineProperty(() => { if (++calls < 3) throw new Error('x'); }, 'name', { value: name }), { minTimeout: 1 });
  };`;
const ESM: App = {
  main: `import pRetry from 'p-retry';${sdk('import')}${RETRIED}startSdk(); await retried(pRetry); report(spans().map(([name]) => name));`,
};
const CJS: App = {
  type: 'cjs',
  main: `const { default: pRetry } = require('p-retry');${sdk('require')}${RETRIED}startSdk(); retried(pRetry).then(() => report(spans().map(([name]) => name)));`,
};
const SHOWN = ['attempt p-retry', 'attempt p-retry', 'attempt p-retry', 'retry p-retry'].map(name =>
  name.replace('p-retry', 'load_user'),
);

describe('a library that retries', () => {
  it.each([
    ['an ES module', '--import', ESM],
    ['an ES module', '--require', ESM],
    // The library is an ES module, of which require gives a namespace that nobody can write into.
    ['a CommonJS module', '--import', CJS],
    ['a CommonJS module', '--require', CJS],
  ])('is shown in %s by %s, with an SDK that is started after it was loaded', async (_kind, option, app) => {
    const { reported, stderr, code } = await runApp({ ...app, options: [option, 'retryscope/register'] });
    expect([reported, stderr, code]).toEqual([[SHOWN], '', 0]);
  });

  it('is shown with an SDK that was started before', async () => {
    const { reported, stderr } = await runApp({
      files: { 'sdk.mjs': `${sdk('import')}startSdk(); globalThis.spans = spans;` },
      options: ['--import', './sdk.mjs', '--import', 'retryscope/register'],
      main: `import pRetry from 'p-retry';${RETRIED}await retried(pRetry); report(spans().map(([name]) => name));`,
    });
    expect([reported, stderr]).toEqual([[SHOWN], '']);
  });

  it.each([
    ['imported twice', ['--import', 'retryscope/register', '--import', 'retryscope/register?again']],
    ['required and imported', ['--require', 'retryscope/register', '--import', 'retryscope/register']],
  ])('is shown once when register is %s', async (_how, options) => {
    const app = { ...ESM, options: options.map(option => option.replace('retryscope/register?again', './again.mjs')) };
    const { reported, stderr } = await runApp({
      ...app,
      files: {
        'again.mjs': `const url = import.meta.resolve('retryscope/register'); await import(url); await import(url + '?again');`,
      },
    });
    expect([reported, stderr]).toEqual([[SHOWN], '']);
  });

  it('is patched where the app hooks modules for instrumentations of its own, and those are called as well', async () => {
    const { reported, stderr } = await runApp({
      files: {
        'hooks.mjs': `
          import { register } from 'node:module';
          import { Hook } from 'import-in-the-middle';
          import { supportsSyncHooks } from 'import-in-the-middle/supports-sync-hooks.mjs';
          globalThis.hooked = [];
          const include = ['async-retry', 'p-retry'];
          // Below Node 22.22.3 there are hooks in a thread of their own alone.
          if (supportsSyncHooks()) (await import('import-in-the-middle/register-hooks.mjs')).register({ include });
          else register('import-in-the-middle/hook.mjs', import.meta.url, { data: { include } });
          new Hook(['async-retry', 'p-retry'], (exports, name) => void hooked.push(name));`,
      },
      options: ['--import', 'retryscope/register', '--import', './hooks.mjs'],
      main: `${ESM.main}; await import('async-retry'); report(hooked);`,
    });
    expect(reported).toEqual([SHOWN, ['p-retry', 'async-retry']]);
    // What import-in-the-middle says of whoever comes second in that thread; it serves both.
    expect(stderr.replace(/^.*hook has already been initialized\n.*--trace-warnings.*\n/, '')).toBe('');
  });

  it('is shown in a worker thread', async () => {
    const { reported, stderr } = await runApp({
      files: {
        'worker.mjs': `globalThis.report = value => parentPort.postMessage(value); import { parentPort } from 'node:worker_threads'; ${ESM.main}`,
      },
      main: `import { Worker } from 'node:worker_threads'; new Worker('./worker.mjs').on('message', report);`,
    });
    expect([reported, stderr]).toEqual([[SHOWN], '']);
  });

  it('stays as it is when RETRYSCOPE_INSTRUMENTATIONS_DISABLED names it', async () => {
    const env = { RETRYSCOPE_INSTRUMENTATIONS_DISABLED: 'got, p-retry' };
    const { reported, stderr } = await runApp({ ...ESM, env });
    expect([reported, stderr]).toEqual([[[]], '']);
  });

  it('is told by its nearest name when RETRYSCOPE_INSTRUMENTATIONS_DISABLED has none that is known', async () => {
    const env = { RETRYSCOPE_INSTRUMENTATIONS_DISABLED: 'p-rety,fetch' };
    const { reported, stderr } = await runApp({ ...ESM, env });
    expect(reported).toEqual([SHOWN]);
    expect(stderr).toContain(
      'RETRYSCOPE_INSTRUMENTATIONS_DISABLED: "p-rety" is not an option; did you mean "p-retry"?',
    );
  });
});
