import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A house of a few files that keeps every rule; each test adds one file that does not. */
const SOUND: Readonly<Record<string, string>> = {
  'package.json':
    '{ "peerDependencies": { "@opentelemetry/api": "1", "@opentelemetry/sdk-node": "1", "winston": "1" } }',
  'src/engine/decide.ts': "import 'node:timers'; export type { A } from './clock.ts';",
  'src/engine/clock.ts': 'export type A = 1;',
  'src/forms/retry.ts': "export { decide } from '../engine/decide.ts';",
  'src/core.ts': "export { retry } from './forms/retry.ts';",
  'src/index.ts': "import '../instrumentation/opentelemetry/index.ts'; export { retry } from './core.ts';",
  'instrumentation/names.ts': 'export const NAME = 1;',
  'instrumentation/opentelemetry/index.ts': "import { trace } from '@opentelemetry/api'; import '../names.ts';",
  'instrumentation/setup/index.ts': "import '@opentelemetry/sdk-node'; import '../opentelemetry/index.ts';",
  'instrumentation/loggers/winston.ts': "import 'winston'; import '../../src/engine/clock.ts';",
  'dashboards/generate.ts': "import '../instrumentation/names.ts'; import 'node:fs';",
  'examples/demo/main.ts': "import 'retryscope'; import 'picocolors'; import './screen.ts';",
  'examples/demo/screen.ts': '',
};

function checkWith(extra: Readonly<Record<string, string>>): { status: number | null; findings: string[] } {
  const root = mkdtempSync(join(tmpdir(), 'retryscope-floors-'));
  try {
    for (const [path, text] of Object.entries({ ...SOUND, ...extra })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const { status, stderr } = spawnSync(process.execPath, ['scripts/check-floors.ts', root], { encoding: 'utf8' });
    return { status, findings: stderr.split('\n').filter(Boolean) };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

describe('npm run floors', () => {
  it('finds nothing in a sound house', () => {
    expect(checkWith({})).toEqual({ status: 0, findings: [] });
  });

  it.each([
    ['src/engine/x.ts', "import '../forms/retry.ts';", 'may not import src/forms/retry.ts'],
    ['src/engine/x.ts', "export type { T } from '../../instrumentation/names.ts';", 'instrumentation/names.ts'],
    ['src/engine/x.ts', "export {\n} from '../core.ts';", 'may not import src/core.ts'],
    ['src/engine/x.ts', "import 'lodash';", 'may not import lodash'],
    ['src/limits/x.ts', "import '../forms/retry.ts';", 'may not import src/forms/retry.ts'],
    ['src/forms/x.ts', "import { trace } from '@opentelemetry/api';", 'may not import @opentelemetry/api'],
    ['src/forms/x.ts', "import type { Span } from '@opentelemetry/api';", 'may not import @opentelemetry/api'],
    ['src/forms/x.ts', "export type S = import('@opentelemetry/api').Span;", 'may not import @opentelemetry/api'],
    ['src/forms/x.ts', "async function f() { await import('winston'); }", 'may not import winston'],
    ['src/forms/x.ts', "const w = require('winston/lib');", 'may not import winston'],
    ['src/forms/x.ts', 'const load = name => import(name);', 'may not import (not a literal)'],
    ['src/forms/x.ts', "import '../index.ts';", 'may not import src/index.ts'],
    ['src/core.ts', "import '../instrumentation/names.ts';", 'may not import instrumentation/names.ts'],
    ['src/forms/x.ts', "import './missing.ts';", 'there is no src/forms/missing.ts'],
    ['instrumentation/names.ts', "import './opentelemetry/index.ts';", 'may not import instrumentation/opentelemetry'],
    ['instrumentation/x.ts', "import type { T } from '../src/forms/retry.ts';", 'may not import src/forms/retry.ts'],
    [
      'instrumentation/opentelemetry/x.ts',
      "import '@opentelemetry/sdk-node';",
      'may not import @opentelemetry/sdk-node',
    ],
    ['instrumentation/opentelemetry/x.ts', "import 'winston';", 'may not import winston'],
    ['instrumentation/loggers/x.ts', "import 'winston';", 'may not import winston'],
    ['instrumentation/setup/x.ts', "import '@opentelemetry/core';", '@opentelemetry/core is no peer dependency'],
    ['dashboards/x.ts', "import '../src/core.ts';", 'may not import src/core.ts'],
    ['dashboards/x.ts', "import '../instrumentation/opentelemetry/index.ts';", 'may not import instrumentation/'],
    ['dashboards/x.ts', "import 'retryscope';", 'may not import retryscope'],
    ['examples/x.ts', "import '../src/core.ts';", 'may not import src/core.ts'],
    ['benchmarks/x.ts', "import '../instrumentation/names.ts';", 'may not import instrumentation/names.ts'],
    ['src/engine/clock.ts', "import { a } from './decide.ts';", 'a circle'],
    ['src/engine/clock.ts', "import type { A } from './decide.ts';", 'a circle'],
  ])('%s: %s', (file, code, finding) => {
    const decide = finding === 'a circle' ? { 'src/engine/decide.ts': "export { b } from './clock.ts';" } : {};
    const { status, findings } = checkWith({ ...decide, [file]: code });
    expect(findings.join('\n')).toContain(finding);
    expect(findings.length).toBeLessThanOrEqual(2);
    expect(status).toBe(1);
  });
});
