import { defineConfig } from 'tsdown';
import { distName, ENTRIES } from './scripts/entries.mjs';

const common = { platform: 'node', target: 'node22.15', fixedExtension: false, report: false };

export default defineConfig([
  {
    ...common,
    entry: Object.fromEntries(Object.entries(ENTRIES).map(([entry, source]) => [distName(entry), source])),
    format: ['esm', 'cjs'],
    dts: true,
    // Symbol.asyncDispose stands in the types; a project that targets ES2022 does not know it by itself.
    banner: { dts: '/// <reference lib="esnext.disposable" />' },
    clean: true,
  },
  {
    ...common,
    entry: { cli: 'cli/main.ts' },
    format: 'esm',
    outDir: 'dist/cli',
    clean: false,
    // The simulator runs the library as it is installed; what draws tables and reads arguments comes along.
    external: [/^retryscope(\/|$)/],
    noExternal: ['commander', 'cli-table3', 'picocolors', 'yaml', /^@grafana\/grafana-foundation-sdk/],
  },
]);
