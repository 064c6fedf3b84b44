import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildFiles, buildStackFiles } from '../../dashboards/src/build.ts';
import { resolveConfig } from '../../dashboards/src/config.ts';

const FOLDER = join(__dirname, '../../dashboards');
const config = resolveConfig();
const files = [...buildFiles(config), ...buildStackFiles(config)];

it.each(files)('finds $path as it is generated; npm run dashboards writes it', ({ path, text }) => {
  expect(readFileSync(join(FOLDER, path), 'utf8')).toBe(text);
});

it('finds nothing else beside them', () => {
  const found = ['grafana', 'prometheus'].flatMap(folder =>
    readdirSync(join(FOLDER, folder)).map(name => `${folder}/${name}`),
  );
  expect(found.sort()).toEqual(files.map(({ path }) => path).sort());
});

it('generates the same text each time', () => {
  expect([...buildFiles(resolveConfig()), ...buildStackFiles(resolveConfig())]).toEqual(files);
});
