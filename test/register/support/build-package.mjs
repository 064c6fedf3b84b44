// Builds the package as it would be installed, into a folder below which an app finds it: node build-package.mjs FOLDER
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

/** Milliseconds after which nobody uses what was built of other sources. */
const AN_HOUR = 3_600_000;
const root = join(import.meta.dirname, '../../..');
const [folder] = process.argv.slice(2);
const building = `${folder}.${process.pid}`;
const place = join(building, 'node_modules/retryscope');

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const entries = {
  index: 'src/index.ts',
  opentelemetry: 'instrumentation/opentelemetry/index.ts',
  setup: 'instrumentation/setup/index.ts',
  http: 'src/services/http/index.ts',
};
const sources = { esm: 'instrumentation/register/import.ts', cjs: 'instrumentation/register/index.ts' };
for (const [format, register] of Object.entries(sources)) {
  const bundle = await rolldown({
    cwd: root,
    input: { ...entries, register },
    platform: 'node',
    transform: { target: 'node22.15' },
    external: Object.keys(manifest.peerDependencies).map(name => new RegExp(`^${name}(/|$)`)),
    logLevel: 'silent',
  });
  const extension = format === 'esm' ? 'js' : 'cjs';
  await bundle.write({
    dir: join(place, 'dist'),
    format,
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `[name]-[hash].${extension}`,
  });
}
const names = {
  '.': 'index',
  './opentelemetry': 'opentelemetry',
  './setup': 'setup',
  './http': 'http',
  './register': 'register',
};
const exports = Object.fromEntries(
  Object.entries(names).map(([name, file]) => [name, { import: `./dist/${file}.js`, require: `./dist/${file}.cjs` }]),
);
writeFileSync(
  join(place, 'package.json'),
  JSON.stringify({ name: 'retryscope', version: manifest.version, type: 'module', exports }),
);
// A scope of its own: else the package would be looked for in the repository's.
writeFileSync(join(building, 'package.json'), JSON.stringify({ private: true }));
const parent = join(folder, '..');
mkdirSync(parent, { recursive: true });
for (const earlier of readdirSync(parent)) clearAway(join(parent, earlier));
try {
  renameSync(building, folder);
} catch (error) {
  rmSync(building, { recursive: true, force: true });
  // Else another test has built it meanwhile.
  if (!existsSync(join(folder, 'node_modules/retryscope'))) throw error;
}

function clearAway(path) {
  try {
    if (Date.now() - statSync(path).mtimeMs > AN_HOUR) rmSync(path, { recursive: true, force: true });
  } catch {
    // Another test is clearing it away, or has given it its name.
  }
}
