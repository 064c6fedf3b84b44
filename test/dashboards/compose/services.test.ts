import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { dockerfileOf, mountsOf, ROOT, read, services, stack } from './stack.ts';

/** Every image that is pulled: by services, and by the Dockerfiles of those that are built. */
const IMAGES: [image: string, service: string][] = services.flatMap(([name, service]) => {
  const dockerfile = dockerfileOf(service);
  const images = dockerfile === undefined ? [service.image ?? ''] : basesOf(read(dockerfile));
  return images.map((image): [string, string] => [image, name]);
});

it('has the demo and everything around it', () => {
  expect(Object.keys(stack.services)).toEqual([
    'demo',
    'prometheus',
    'alertmanager',
    'grafana',
    'tempo',
    'loki',
    'collector',
    'redis',
    'postgres',
    'kafka',
  ]);
});

describe('images', () => {
  it.each(IMAGES)('pins %s, for %s, to one version', image => {
    expect(image).toMatch(/^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)*$/);
  });

  it.each(services)('comes from a registry or from a Dockerfile, not both: %s', (_name, { image, build }) => {
    expect([image, build].filter(source => source !== undefined)).toHaveLength(1);
  });
});

describe.each(services)('%s', (name, service) => {
  it('has a health check that can fail, and takes no longer than the time between two', () => {
    const { test = [], interval = '', timeout = '', retries = 0, start_period } = service.healthcheck ?? {};
    expect(test.length).toBeGreaterThan(1);
    expect(test[0]).toMatch(/^CMD(-SHELL)?$/);
    expect(test.join(' ')).not.toMatch(/\|\| *(true|:)|exit 0\b|\btrue$/);
    expect(seconds(timeout)).toBeLessThan(seconds(interval));
    expect(retries).toBeGreaterThan(0);
    expect(seconds(start_period ?? '')).toBeGreaterThan(0);
  });

  it('waits only for services that have a health check, until they are healthy', () => {
    for (const [target, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(stack.services[target]?.healthcheck).toBeDefined();
      expect(condition).toBe('service_healthy');
    }
  });

  it('is published on the loopback interface alone', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\$\{[A-Z_]+_PORT:-\d+\}:\d+$/);
  });

  it('starts again, within limits', () => {
    expect(service.restart).toBe('unless-stopped');
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
    expect(service.logging).toEqual({ driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } });
  });

  it('may do no more than it has to', () => {
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(Object.keys(service)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(privileged|network_mode|pid|ipc|cap_add|devices)$/)]),
    );
    // The start of this one writes beside its programs.
    expect(service.read_only).toBe(name !== 'kafka');
  });

  it('mounts what is there: files of this repository to read, and volumes to write', () => {
    for (const { source, target, mode } of mountsOf(service)) {
      expect(target).toMatch(/^\//);
      if (source.startsWith('./')) {
        expect(existsSync(join(ROOT, source))).toBe(true);
        expect(statSync(join(ROOT, source)).isDirectory()).toBe(!/\.\w+$/.test(target));
        expect(mode).toBe('ro');
      } else {
        expect(Object.keys(stack.volumes)).toContain(source);
        expect(mode).toBeUndefined();
      }
    }
  });
});

it('waits in no circle', () => {
  const waits = (name: string, behind: readonly string[]): void => {
    expect(behind).not.toContain(name);
    for (const next of Object.keys(stack.services[name]?.depends_on ?? {})) waits(next, [...behind, name]);
  };
  for (const [name] of services) waits(name, []);
});

it('keeps data in volumes, each of one service', () => {
  const used = services.flatMap(([, service]) => mountsOf(service).filter(({ source }) => !source.startsWith('./')));
  expect(used.map(({ source }) => source).sort()).toEqual(Object.keys(stack.volumes).sort());
});

it('names each port in .env.example, with its default, and no two alike', () => {
  const published = services.flatMap(([, { ports = [] }]) => ports.map(port => /\{(\w+):-(\d+)\}/.exec(port)));
  const lines = published.map(found => `#${found?.[1]}=${found?.[2]}`);
  const named = read('.env.example')
    .split('\n')
    .filter(line => /^#\w+_PORT=/.test(line));
  expect(named.toSorted()).toEqual(lines.toSorted());
  expect(new Set(published.map(found => found?.[2])).size).toBe(published.length);
});

describe('the health check in an image without a shell', () => {
  const testOf = (name: string): readonly string[] => stack.services[name]?.healthcheck?.test ?? [];

  it('is asked of the programs of Tempo and Loki themselves, which know the ports that they listen on by default', () => {
    expect(testOf('tempo')).toEqual(['CMD', '/tempo', '-health']);
    expect(read('dashboards/stack/tempo/tempo.yml')).toMatch(/^ {2}http_listen_port: 3200$/m);
    expect(testOf('loki')).toEqual(['CMD', '/usr/bin/loki', '-health']);
    expect(read('dashboards/stack/loki/loki.yml')).toMatch(/^ {2}http_listen_port: 3100$/m);
  });

  it('is asked by the program that the Dockerfile of the collector adds, where the extension answers', () => {
    const [, program, ...args] = testOf('collector');
    expect(read('dashboards/stack/collector/Dockerfile')).toContain(`COPY --from=probe ${program} ${program}\n`);
    const endpoint = /health_check:\n {4}endpoint: (\S+)/.exec(read('dashboards/stack/collector/collector.yml'));
    expect(args.at(-1)).toBe(`http://${endpoint?.[1]}/`);
  });
});

/** The images that a Dockerfile begins with; not its own stages. */
function basesOf(dockerfile: string): string[] {
  const stages = [...dockerfile.matchAll(/^FROM (\S+)(?: AS (\S+))?/gm)];
  const own = stages.map(([, , name]) => name);
  return stages.map(([, image = '']) => image).filter(image => !own.includes(image));
}

function seconds(duration: string): number {
  const [, number, unit] = /^(\d+)(s|m)$/.exec(duration) ?? [];
  return Number(number) * (unit === 'm' ? 60 : 1);
}
