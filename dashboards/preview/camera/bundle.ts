import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const HERE = import.meta.dirname;

/** Bundles the page into `folder`, as `page.js` and `page.css`. */
export async function bundlePage(folder: string): Promise<void> {
  await build({
    entryPoints: { page: join(HERE, '../page/main.tsx') },
    outdir: folder,
    bundle: true,
    format: 'esm',
    minify: true,
    jsx: 'automatic',
    define: {
      'process.env.NODE_ENV': '"production"',
      'process.env.GRAFANA_UI_VERSION': JSON.stringify(grafanaVersion()),
    },
    // The font of an editor that @grafana/ui brings along.
    loader: { '.ttf': 'file' },
    tsconfig: join(HERE, '../tsconfig.json'),
    logLevel: 'error',
  });
}

function grafanaVersion(): string {
  return JSON.parse(readFileSync(join(HERE, '../node_modules/@grafana/ui/package.json'), 'utf8')).version;
}
