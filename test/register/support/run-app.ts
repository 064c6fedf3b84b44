import { execFileSync, spawn } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = process.cwd();

/** The Node of the repository, also where the tests themselves run in another one; `RETRYSCOPE_TEST_NODE` names another. */
export const NODE: string = process.env.RETRYSCOPE_TEST_NODE ?? join(root, 'node_modules/.bin/node');

/** What an app printed, and how it ended. */
export interface AppRun {
  /** What it reported, one value for each line. */
  readonly reported: readonly unknown[];
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** An app: its files by name, and how it is started. */
export interface App {
  /** The text of the file that is run. `report(value)` is there, and `settled()`. */
  readonly main: string;
  /** Default `mjs`. */
  readonly type?: 'mjs' | 'cjs';
  /** More files in its folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** Options of Node. Default: register is imported. */
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly node?: string;
  /** Called with each value that is reported, while the app runs. */
  readonly onReport?: (value: unknown, app: { kill(signal: NodeJS.Signals): void }) => void | Promise<void>;
}

let built: string | undefined;
let count = 0;
const elsewhere: string[] = [];
// The end of the process would be too late: what listens for that in a test is told of no end.
afterAll(() => {
  for (const folder of elsewhere) rmSync(folder, { recursive: true, force: true });
});

/** The folder below which the package is found as it would be installed; built once for each state of the sources. */
export function packageFolder(): string {
  if (built !== undefined) return built;
  const sources = globSync('{src,instrumentation,test/register/support}/**/*.{ts,mjs}', { cwd: root });
  const newest = Math.max(...sources.map(file => statSync(join(root, file)).mtimeMs));
  const folder = join(root, '.cache/register', Math.floor(newest).toString(36));
  try {
    statSync(join(folder, 'node_modules/retryscope'));
  } catch {
    execFileSync(NODE, [join(root, 'test/register/support/build-package.mjs'), folder], { stdio: 'inherit' });
  }
  built = folder;
  return folder;
}

/** A folder outside the repository in which only these packages are installed beside ours. Removed after the tests. */
export function folderWith(packages: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'retryscope-register-'));
  elsewhere.push(folder);
  const modules = join(folder, 'node_modules');
  cpSync(join(packageFolder(), 'node_modules/retryscope'), join(modules, 'retryscope'), { recursive: true });
  for (const name of packages) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  return folder;
}

/** Runs an app in a folder of its own and waits for its end. */
export async function runApp(app: App, within: string = packageFolder()): Promise<AppRun> {
  const folder = join(within, `app-${process.pid}-${++count}`);
  mkdirSync(folder, { recursive: true });
  const { main, type = 'mjs', files = {}, options = ['--import', 'retryscope/register'], env = {} } = app;
  const name = `main.${type}`;
  for (const [file, text] of Object.entries({ ...files, [name]: `${PRELUDE}${main}` })) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  try {
    return await new Promise<AppRun>((resolve, reject) => {
      const child = spawn(app.node ?? NODE, [...options, name], {
        cwd: folder,
        env: { PATH: process.env.PATH, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        // One that hangs is not to outlive the test.
        timeout: 50_000,
        killSignal: 'SIGKILL',
      });
      const reported: unknown[] = [];
      let stderr = '';
      let rest = '';
      const answers: unknown[] = [];
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const lines = `${rest}${text}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines.filter(each => each.startsWith(MARK))) {
          const value: unknown = JSON.parse(line.slice(MARK.length));
          reported.push(value);
          answers.push(app.onReport?.(value, child));
        }
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.on('error', reject);
      // What a report has set off may take longer than the app, and must not go on in the next test.
      child.on('close', (code, signal) =>
        Promise.all(answers).then(() => resolve({ reported, stderr, code, signal }), reject),
      );
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const MARK = 'reported: ';
const PRELUDE = `globalThis.report = value => console.log(${JSON.stringify(MARK)} + JSON.stringify(value));\n`;

/** The lines of an SDK of the app itself that keeps its spans; \`report(spans())\` tells them. */
export function sdk(load: 'import' | 'require'): string {
  const get = (names: string, from: string): string =>
    load === 'import' ? `import { ${names} } from '${from}';` : `const { ${names} } = require('${from}');`;
  return [
    get('trace as apiTrace, context as apiContext', '@opentelemetry/api').replaceAll(
      ' as ',
      load === 'import' ? ' as ' : ': ',
    ),
    get('TracerProvider, InMemorySpanExporter, SimpleSpanProcessor', '@opentelemetry/sdk-trace'),
    get('AsyncLocalStorageContextManager', '@opentelemetry/context-async-hooks'),
    `const exporter = new InMemorySpanExporter();
     const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
     const startSdk = () => {
       apiContext.setGlobalContextManager(new AsyncLocalStorageContextManager());
       apiTrace.setGlobalTracerProvider(provider);
     };
     const spans = () => exporter.getFinishedSpans().map(span => [span.name, span.attributes]);\n`,
  ].join('\n');
}
