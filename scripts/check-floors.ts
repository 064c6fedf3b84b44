import { existsSync, globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { parseSync, Visitor } from 'rolldown/utils';

/**
 * Checks that imports go down only (the floors are drawn in CONTRIBUTING.md) and that each vendor is met in its own room
 * alone. Every way to name a module counts: import and export, `import()` as a value and as a type, `require`.
 *
 * An argument names another folder to check than this repository.
 */
interface Room {
  /** The files it holds. The first room that fits is a file's own. */
  readonly files: RegExp;
  /** What they may import: a path in the repository, or the name of a package. Node's own modules go without saying. */
  readonly may: RegExp;
}

const ROOMS: readonly Room[] = [
  { files: /^src\/engine\//, may: /^src\/engine\// },
  { files: /^src\/(limits|recovery)\//, may: /^src\/(engine|limits|recovery)\// },
  { files: /^src\/services\/policy-file\//, may: /^(src\/(?!index\.ts$)|yaml$)/ },
  { files: /^src\/services\/grpc\//, may: /^(src\/(?!index\.ts$)|@grpc\/grpc-js$)/ },
  { files: /^src\/(?!index\.ts$)/, may: /^src\/(?!index\.ts$)/ },
  { files: /^src\/index\.ts$/, may: /^(src|instrumentation)\// },
  { files: /^instrumentation\/names\.ts$/, may: /^instrumentation\/names\.ts$/ },
  {
    files: /^instrumentation\/opentelemetry\//,
    may: /^(instrumentation\/|src\/(engine|limits|recovery)\/|@opentelemetry\/api$)/,
  },
  { files: /^instrumentation\/setup\//, may: /^(instrumentation\/|src\/(engine|limits|recovery)\/|@opentelemetry\/)/ },
  {
    files: /^instrumentation\/loggers\/winston\.ts$/,
    may: /^(instrumentation\/|src\/(engine|limits|recovery)\/|winston$)/,
  },
  {
    files: /^instrumentation\/(register|libraries)\//,
    may: /^(instrumentation\/|src\/|@opentelemetry\/(api|instrumentation)$)/,
  },
  { files: /^instrumentation\//, may: /^(instrumentation\/|src\/(engine|limits|recovery)\/)/ },
  {
    files: /^dashboards\//,
    may: /^(dashboards\/|instrumentation\/names\.ts$|(?!(src|instrumentation|test|examples|benchmarks)\/|retryscope$))/,
  },
  { files: /^(examples|benchmarks)\//, may: /^(?!(src|instrumentation|test|dashboards)\/)/ },
];

interface Import {
  readonly specifier: string;
  readonly line: number;
}

interface Edge extends Import {
  readonly from: string;
  /** A path in the repository, the name of a package, or `node:…`. */
  readonly to: string;
}

const root = process.argv[2] ?? join(import.meta.dirname, '..');
const files = globSync('{src,instrumentation,dashboards,examples,benchmarks}/**/*.{ts,mjs,cjs}', { cwd: root })
  .map(file => file.replaceAll('\\', '/'))
  .filter(file => !file.includes('/node_modules/'))
  .sort();
const peers = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).peerDependencies ?? {});
const edges = files.flatMap(edgesOf);
const findings = [...edges.flatMap(breaches), ...cycles(edges)];
for (const finding of findings) console.error(finding);
console.log(`${files.length} files, ${edges.length} imports checked, ${findings.length} findings`);
if (findings.length > 0) process.exitCode = 1;

function edgesOf(from: string): Edge[] {
  return importsOf(from).map(found => ({ ...found, from, to: target(from, found.specifier) }));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found: Import[] = [];
  const add = (source: unknown, start: number): void => {
    const specifier = (source as { value?: unknown } | undefined)?.value;
    const line = text.slice(0, start).split('\n').length;
    found.push({ specifier: typeof specifier === 'string' ? specifier : '(not a literal)', line });
  };
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  new Visitor({
    ImportDeclaration: node => add(node.source, node.start),
    ExportNamedDeclaration: node => {
      if (node.source !== null) add(node.source, node.start);
    },
    ExportAllDeclaration: node => add(node.source, node.start),
    ImportExpression: node => add(node.source, node.start),
    TSImportType: node => add(node.source, node.start),
    CallExpression: node => {
      if (node.callee.type === 'Identifier' && node.callee.name === 'require') add(node.arguments[0], node.start);
    },
  }).visit(program);
  return found;
}

function target(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier);
  if (isBuiltin(specifier)) return specifier.startsWith('node:') ? specifier : `node:${specifier}`;
  return /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
}

function breaches({ from, to, line, specifier }: Edge): string[] {
  if (to.startsWith('node:')) return [];
  const room = ROOMS.find(({ files }) => files.test(from));
  const isFile = specifier.startsWith('.');
  return [
    ...(room?.may.test(to) ? [] : [`${from}:${line}: may not import ${to}`]),
    ...(isFile && !existsSync(join(root, to)) ? [`${from}:${line}: there is no ${to}`] : []),
    ...(!isFile && /^(src|instrumentation)\//.test(from) && !peers.includes(to)
      ? [`${from}:${line}: ${to} is no peer dependency`]
      : []),
  ];
}

/** One finding for each import that closes a circle; one of a type closes it as well: neither file can be read alone. */
function cycles(all: readonly Edge[]): string[] {
  const next = Map.groupBy(all, ({ from }) => from);
  const left = new Set<string>();
  const path: string[] = [];
  const found: string[] = [];
  const walk = (file: string): void => {
    if (path.includes(file)) {
      found.push(`${[...path.slice(path.indexOf(file)), file].join(' → ')}: a circle`);
      return;
    }
    if (left.has(file)) return;
    path.push(file);
    for (const { to } of next.get(file) ?? []) walk(to);
    path.pop();
    left.add(file);
  };
  for (const file of next.keys()) walk(file);
  return found;
}
