import { types } from 'node:util';
import { VERSION } from '../../src/engine/version.ts';
import type { Library } from '../libraries/library.ts';
import { SCOPE_NAME } from '../names.ts';
import type { InstrumentationApi } from './module-hooks.ts';
import { warn } from './warn.ts';

/** Has libraries patched when they are loaded: by `require` from here on, by `import` where a hook is in place. */
export function patchWhenLoaded(api: InstrumentationApi, libraries: readonly Library[]): void {
  class Bridge extends api.InstrumentationBase {
    protected override init(): InstanceType<InstrumentationApi['InstrumentationNodeModuleDefinition']>[] {
      return libraries.map(library => definitionOf(api, library));
    }
  }
  new Bridge(SCOPE_NAME, VERSION, {});
}

function definitionOf(
  api: InstrumentationApi,
  library: Library,
): InstanceType<InstrumentationApi['InstrumentationNodeModuleDefinition']> {
  const { module, file } = library;
  const versions = [...library.versions];
  const patch = (exports: unknown): unknown => patchSafely(library, exports);
  if (file === undefined) return new api.InstrumentationNodeModuleDefinition(module, versions, patch);
  const files = [new api.InstrumentationNodeModuleFile(`${module}/${file}`, versions, patch, () => undefined)];
  return new api.InstrumentationNodeModuleDefinition(module, versions, undefined, undefined, files);
}

/** What a module exports, with the patch in it; as it was, where the patch does not succeed. */
export function patchSafely(library: Library, exports: unknown): unknown {
  try {
    const patched = library.patch(exports);
    return isImported(exports) ? writtenInto(exports, patched) : patched;
  } catch (fault) {
    // Its text may tell of what is not ours; what kind of error it is does not.
    const kind = types.isNativeError(fault) ? `${fault.name}: ${fault.message}`.slice(0, 200) : typeof fault;
    warn(
      'RETRYSCOPE_PATCH',
      `${library.name} stays as it is, and its retries unseen: the patch did not fit this version (${kind})`,
    );
    return exports;
  }
}

/** True for what import-in-the-middle hands out: a proxy that writes into the bindings of an ES module. */
function isImported(exports: unknown): exports is Record<string, unknown> {
  return types.isProxy(exports) && (exports as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'Module';
}

/** An object of its own would become the module's default export, and nothing else of it would be seen. */
function writtenInto(imported: Record<string, unknown>, patched: unknown): unknown {
  if (patched === imported || typeof patched !== 'object' || patched === null) return patched;
  for (const [name, value] of Object.entries(patched)) {
    if (name in imported && imported[name] !== value) imported[name] = value;
  }
  return imported;
}
