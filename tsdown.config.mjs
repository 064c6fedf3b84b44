import { defineConfig } from 'tsdown';
import { distName, ENTRIES } from './scripts/entries.mjs';

const common = { platform: 'node', target: 'node22.15', fixedExtension: false, report: false };
const entries = Object.fromEntries(Object.entries(ENTRIES).map(([entry, source]) => [distName(entry), source]));
const library = {
  ...common,
  dts: true,
  // Symbol.asyncDispose stands in the types; a project that targets ES2022 does not know it by itself.
  banner: { dts: '/// <reference lib="esnext.disposable" />' },
};

export default defineConfig([
  {
    ...library,
    // What is imported can wait until everything is in place; what is required cannot.
    entry: { ...entries, register: 'instrumentation/register/import.ts' },
    format: 'esm',
    clean: true,
  },
  { ...library, entry: entries, format: 'cjs', clean: false },
  {
    ...common,
    entry: { cli: 'cli/main.ts' },
    format: 'esm',
    outDir: 'dist/cli',
    clean: false,
    // The simulator runs the library as it is installed; what draws tables and reads arguments comes along.
    external: [/^retryscope(\/|$)/],
    noExternal: ['commander', 'cli-table3', 'cli-progress', 'picocolors', 'yaml', /^@grafana\/grafana-foundation-sdk/],
  },
]);
