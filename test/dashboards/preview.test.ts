import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '../../dashboards');
const PICTURES = join(FOLDER, 'preview/pictures');
const dashboards = readdirSync(join(FOLDER, 'grafana')).map(file => file.replace('.json', ''));
const sources = JSON.parse(readFileSync(join(PICTURES, 'SOURCES.json'), 'utf8')) as Record<string, string>;

it.each(dashboards)('has pictures of %s, healthy and in an outage', dashboard => {
  for (const state of ['healthy', 'outage']) {
    const picture = readFileSync(join(PICTURES, `${dashboard}-${state}.png`));
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
    expect(picture.readUInt32BE(16)).toBe(1400);
  }
});

it.each(dashboards)('says whether %s has changed since its pictures were drawn', dashboard => {
  const file = `${dashboard}.json`;
  const now = createHash('sha256')
    .update(readFileSync(join(FOLDER, 'grafana', file)))
    .digest('hex');
  expect(sources[file]).toMatch(/^[0-9a-f]{64}$/);
  // To draw them takes minutes and a browser: whoever changes a word is told, and not stopped.
  if (sources[file] !== now) {
    process.stderr.write(`${file} has changed since its pictures were drawn: npm start in dashboards/preview\n`);
  }
});

it('has pictures of nothing else', () => {
  expect(Object.keys(sources).sort()).toEqual(dashboards.map(name => `${name}.json`).sort());
  const expected = dashboards.flatMap(name => ['healthy', 'outage'].map(state => `${name}-${state}.png`));
  expect(
    readdirSync(PICTURES)
      .filter(name => name.endsWith('.png'))
      .sort(),
  ).toEqual(expected.sort());
});
