import { defineConfig } from 'tsdown';
import { distName, ENTRIES } from './scripts/entries.mjs';

export default defineConfig({
  entry: Object.fromEntries(Object.entries(ENTRIES).map(([entry, source]) => [distName(entry), source])),
  format: ['esm', 'cjs'],
  platform: 'node',
  target: 'node22.15',
  dts: true,
  // Symbol.asyncDispose stands in the types; a project that targets ES2022 does not know it by itself.
  banner: { dts: '/// <reference lib="esnext.disposable" />' },
  clean: true,
  fixedExtension: false,
  report: false,
});
