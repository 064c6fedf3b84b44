import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The repository, where the compose file lies. */
export const ROOT: string = join(__dirname, '../../..');

/** A service of the compose file, as far as this repository uses the format. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: string | { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: Readonly<
    Record<'interval' | 'timeout' | 'start_period', string> & { retries: number; test: readonly string[] }
  >;
  readonly restart?: string;
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly logging?: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
}

/** The compose file, with anchors and merges resolved and variables as they are written. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, null>>;
}

/** The text of a file of the repository. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** A YAML file of the repository. */
export function readYaml<T>(path: string): T {
  return parse(read(path), { merge: true }) as T;
}

/** The compose file itself. */
export const stack: ComposeFile = readYaml('docker-compose.yml');

/** Its services by name. */
export const services: [name: string, service: ComposeService][] = Object.entries(stack.services);

/** A service by its name, which has to be there. */
export function serviceNamed(name: string): ComposeService {
  const service = stack.services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}

/** The Dockerfile of a service that is built, from the root of the repository. */
export function dockerfileOf({ build }: ComposeService): string | undefined {
  if (build === undefined) return undefined;
  return typeof build === 'string' ? join(build, 'Dockerfile') : join(build.context, build.dockerfile);
}

/** What a service mounts: named volumes and files of the repository. */
export function mountsOf(service: ComposeService): { source: string; target: string; mode: string | undefined }[] {
  return (service.volumes ?? []).map(volume => {
    const [source = '', target = '', mode] = volume.split(':');
    return { source, target, mode };
  });
}

/** The file of the repository that a container sees at `path`. */
export function mountedAt(service: ComposeService, path: string): string {
  for (const { source, target } of mountsOf(service)) {
    if (path === target || path.startsWith(`${target}/`)) return join(source, path.slice(target.length));
  }
  throw new Error(`nothing is mounted at ${path}`);
}

/** The value of a command-line option of a service, such as `--config.file`. */
export function optionOf({ command = [] }: ComposeService, name: string): string {
  const option = command.find(argument => argument.startsWith(`${name}=`));
  if (option === undefined) throw new Error(`there is no option ${name}`);
  return option.slice(name.length + 1);
}

/** Every value of a document that stands under one of the keys, at any depth. */
export function valuesOf(document: unknown, key: string): unknown[] {
  if (typeof document !== 'object' || document === null) return [];
  return Object.entries(document).flatMap(([name, value]) => [
    ...(name === key ? [value] : []),
    ...valuesOf(value, key),
  ]);
}
