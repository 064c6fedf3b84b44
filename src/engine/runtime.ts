import type { NestingStorage } from './nesting-frame.ts';
import type { RetryObserver } from './observer.ts';
import type { RetrySummary } from './retry-summary.ts';

/**
 * State that all copies of the package in one process share: ESM beside CJS, or two versions in one tree.
 * It lives under a versioned `Symbol.for` key; a change of its shape needs a new number in the key.
 */
export interface Runtime {
  /** The observers for policies that name none of their own, composed into one; undefined when there are none. */
  observer: RetryObserver | undefined;
  /** What `observer` was composed from. */
  readonly observers: RetryObserver[];
  /** How calls behave now: what `setTesting` set, else `disabled`. */
  testing: TestingMode | undefined;
  /** One attempt and no waits when the process started with `RETRYSCOPE_DISABLED=1`; else undefined. */
  readonly disabled: TestingMode | undefined;
  /** Faults of observers, loggers and hooks that were kept from a caller, counted by source. */
  readonly faults: Map<string, number>;
  /** What is known about an error that a call threw. */
  readonly summaries: WeakMap<object, RetrySummary>;
  /** Counts attempts, so that it is known of any two which of them started first. */
  sequence: number;
  /** When the call that gave up on an error had started, by `sequence`. */
  readonly givenUp: WeakMap<object, number>;
  /** The highest number in `givenUp`: what is not above it need not be looked up. */
  latestGivenUp: number;
  /** Error objects that were thrown more than once, as constants are. */
  readonly thrownAgain: WeakSet<object>;
  /** Who is around the present attempt or request; undefined until somebody has to know. */
  nesting: NestingStorage | undefined;
  /** Attempts that settled after their call had stopped waiting for them, by operation. */
  readonly lateResults: Map<string, LateResults>;
  /** True once the door has put its default observer in place. */
  doorOpened: boolean;
}

/** How calls behave while a test runs; see `setTesting`. */
export interface TestingMode {
  /** At most this many attempts, whatever the policy says. */
  readonly attempts?: number;
  /** `'none'`: retries follow at once. */
  readonly delays?: 'none';
}

/** What attempts of one operation brought after their call had stopped waiting for them. */
export interface LateResults {
  success: number;
  failure: number;
}

const KEY = Symbol.for('retryscope.runtime.1');

function createRuntime(): Runtime {
  const disabled: TestingMode | undefined =
    process.env.RETRYSCOPE_DISABLED === '1' ? { attempts: 1, delays: 'none' } : undefined;
  return {
    observer: undefined,
    observers: [],
    testing: disabled,
    disabled,
    faults: new Map(),
    summaries: new WeakMap(),
    sequence: 0,
    givenUp: new WeakMap(),
    latestGivenUp: 0,
    thrownAgain: new WeakSet(),
    nesting: undefined,
    lateResults: new Map(),
    doorOpened: false,
  };
}

const shared = globalThis as { [KEY]?: Runtime };

/** The one runtime of this process. */
export const runtime: Runtime = shared[KEY] ?? createRuntime();
shared[KEY] = runtime;
