/** What a scenario writes down: everything that a user of the library could see. */
export type Note = (what: string, ...facts: unknown[]) => void;

/** Something that is done with a library; the value is written down as well, or what was thrown. */
export type Scenario<L> = (library: L, note: Note) => unknown;

/** How a child gets at a library: patched or as it is, as an ES module or by `require`. */
export interface Loader {
  /** Loads a module, or a file in it, and patches it where the child was asked to. */
  load(module: string, file?: string): Promise<unknown>;
  readonly how: 'import' | 'require';
}

/** One library under test: how to load it, and what to do with it. */
export interface Subject<L> {
  load(loader: Loader): Promise<L>;
  readonly scenarios: Readonly<Record<string, Scenario<L>>>;
}

/** What a child prints. */
export interface Report {
  /** What users saw, by scenario. */
  readonly seen: Readonly<Record<string, readonly string[]>>;
  /** The spans of each scenario, in the order in which they ended. */
  readonly spans: Readonly<Record<string, readonly SpanReport[]>>;
  /** Counters at the end of the process, by their name and labels. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Calls that are still under way at the end. */
  readonly inFlight: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly stderr: string;
}

/** What a test needs of a span. */
export interface SpanReport {
  readonly name: string;
  readonly id: string;
  readonly parent: string | undefined;
  readonly failed: boolean;
  readonly message: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly durationMs: number;
}

/** A plain text for anything. An error is told by what its catcher could read. */
export function show(value: unknown): string {
  if (value instanceof Error || isErrorLike(value)) {
    const { name, message, ...rest } = value as Error;
    const { cause } = value as Error;
    const keys = Object.keys(rest).filter(
      key => !['config', 'request', 'response', 'options', 'timings', 'stack'].includes(key),
    );
    const own = keys.map(key => `${key}=${show((value as unknown as Record<string, unknown>)[key])}`);
    return [`${name}: ${message}`, ...own, ...(cause === undefined ? [] : [`cause=${show(cause)}`])].join(' ');
  }
  if (typeof value === 'function') return `[function ${value.name} ${value.length}]`;
  if (typeof value === 'bigint' || typeof value === 'symbol' || value === undefined) return String(value);
  const text = JSON.stringify(value, (_key, each) =>
    typeof each === 'function' ? show(each) : each instanceof Error ? show(each) : each,
  );
  return text;
}

/** A function that fails `times` times, and then gives back `value`. */
export function flaky(times: number, note: Note, value: unknown = 'done'): (...args: unknown[]) => Promise<unknown> {
  let made = 0;
  return async (...args: unknown[]) => {
    made++;
    note('called', made, ...args.filter(arg => typeof arg !== 'object'));
    await new Promise(resolve => setTimeout(resolve, 2));
    if (made <= times) throw Object.assign(new Error(`failure ${made}`), { code: 'ECONNRESET' });
    return value;
  };
}

/** What a call of user code gives, told as text; also when it throws at once. */
export async function settledText(call: () => unknown): Promise<string> {
  try {
    return `value ${show(await call())}`;
  } catch (error) {
    return `error ${show(error)}`;
  }
}

function isErrorLike(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'stack' in value && 'message' in value;
}
