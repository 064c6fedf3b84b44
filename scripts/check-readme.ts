import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/core';

/**
 * Compiles and runs every TypeScript example of the README, each as a module of its own with the names of
 * examples/readme-prelude.ts at hand.
 */
const root = join(import.meta.dirname, '..');
const folder = join(root, '.cache/readme');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);

const prelude = readFileSync(join(root, 'examples/readme-prelude.ts'), 'utf8');
const names = [...prelude.matchAll(/^export (?:async function|function) (\w+)/gm)].map(([, name]) => name);
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const examples = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code ?? '');
if (examples.length === 0) throw new Error('The README shows no example');

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const compile = (code: string): string =>
  transformSync(code, {
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { decoratorVersion: '2022-03' },
    },
    module: { type: 'es6' },
  }).code;
for (const [i, code] of examples.entries()) {
  const imports = `import { ${names.join(', ')}, type User } from '../../examples/readme-prelude.ts';\n`;
  const source = `${imports}${code}\nexport type { User as PreludeUser };\n`;
  writeFileSync(join(folder, `example-${i + 1}.ts`), source);
  writeFileSync(join(folder, `example-${i + 1}.mjs`), compile(source));
}
const config = {
  extends: '../../tsconfig.json',
  include: ['*.ts'],
  exclude: [],
  compilerOptions: { noUnusedLocals: false, isolatedDeclarations: false, declaration: false },
};
writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
execFileSync(bin('tsc'), ['-p', folder], { stdio: 'inherit' });
for (const i of examples.keys()) {
  execFileSync(bin('node'), [join(folder, `example-${i + 1}.mjs`)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    // One that hangs is to end; a busy machine takes its time.
    timeout: 120_000,
  });
}
console.log(`${examples.length} examples of the README compiled and ran`);
