import module, { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Library } from '../libraries/library.ts';
import { warn } from './warn.ts';

/** What is used of the optional peer dependency. */
export type InstrumentationApi = typeof import('@opentelemetry/instrumentation');

const PEER = '@opentelemetry/instrumentation';

/** Loads the peer that hooks modules, and has ES modules hooked too; undefined, after a warning, where there is none. */
export function hookModules(libraries: readonly Library[]): InstrumentationApi | undefined {
  const load = createRequire(import.meta.url);
  let path: string;
  try {
    path = load.resolve(PEER);
  } catch {
    warn(
      'RETRYSCOPE_NO_INSTRUMENTATION',
      `retryscope/register patches no library: that needs the package ${PEER} (npm install ${PEER})`,
    );
    return undefined;
  }
  const api: InstrumentationApi = load(path);
  hookImports(path, included(libraries));
  return api;
}

/**
 * Has what is imported pass through import-in-the-middle: in this thread where Node can do that, else in a thread of its
 * own. The copy has to be the one that the peer itself uses, since the two of them meet in its state.
 */
function hookImports(peer: string, include: (string | RegExp)[]): void {
  const load = createRequire(peer);
  if (hookInThread(load, include)) return;
  const { href } = pathToFileURL(load.resolve(`${PEER}/hook.mjs`));
  module.register(href, { parentURL: pathToFileURL(peer).href, data: { include } });
}

/**
 * The package's own way to do this serves whoever comes first, and tells all others that they are late: their modules
 * would stay unpatched, or ours. Hooks of one's own can stand beside any others.
 */
function hookInThread(load: NodeJS.Require, include: (string | RegExp)[]): boolean {
  try {
    const { supportsSyncHooks }: Hooks = load('import-in-the-middle/supports-sync-hooks.mjs');
    if (!supportsSyncHooks()) return false;
    const { createHook }: Hooks = load('import-in-the-middle/create-hook.mjs');
    const { href: url } = pathToFileURL(load.resolve('import-in-the-middle/register-hooks.mjs'));
    const hook = createHook({ url });
    hook.applyOptions({ include });
    module.registerHooks({ resolve: hook.resolveSync, load: hook.loadSync });
    return true;
  } catch {
    // A version that has no such hooks.
    return false;
  }
}

interface Hooks {
  supportsSyncHooks(): boolean;
  createHook(meta: { readonly url: string }): {
    applyOptions(options: { readonly include: readonly (string | RegExp)[] }): void;
    readonly resolveSync: module.ResolveHookSync;
    readonly loadSync: module.LoadHookSync;
  };
}

/** Only what a patch is for: each module that passes through costs time when it is loaded. */
function included(libraries: readonly Library[]): (string | RegExp)[] {
  return libraries.map(({ module: name, file }) =>
    file === undefined ? name : new RegExp(`/node_modules/${name}/${file}$`.replace(/[.+]/g, '\\$&')),
  );
}
