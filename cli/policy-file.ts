import {
  AwsBudget,
  type Budget,
  CircuitBreaker,
  type Clock,
  GrpcBudget,
  RetryBudget,
  type RetryOptions,
  RetryPolicy,
  WindowBudget,
} from 'retryscope/core';
import { readText } from './read-text.ts';
import { UsageError } from './usage-error.ts';

/** A policy that was read from a file, for any number of client processes. */
export interface FilePolicy {
  /** Called once for a run; what it returns is called once for each process, which shares what is marked as shared. */
  processes(clock: Clock): () => RetryOptions;
}

/**
 * Reads a policy file: options of a policy that need no function, and its limits by kind.
 *
 * @throws UsageError when the file cannot be read, or holds something else
 */
export function readPolicyFile(path: string): FilePolicy {
  const { budget, breaker, ...options } = parse(path);
  const policy = {
    processes: (clock: Clock) => {
      const nextBudget = perProcess('budget', budget, settings => createBudget(settings, clock));
      const nextBreaker = perProcess('breaker', breaker, settings => new CircuitBreaker({ ...settings, clock }));
      return (): RetryOptions => ({ ...options, ...nextBudget(), ...nextBreaker() });
    },
  };
  try {
    // What is wrong is to be told before anything runs.
    new RetryPolicy(policy.processes(STILL)());
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
  const { maxAttempts } = options;
  if (typeof maxAttempts === 'number' && maxAttempts > MOST_ATTEMPTS) {
    throw new UsageError(
      `${path}: maxAttempts is ${maxAttempts}; a simulation makes at most ${MOST_ATTEMPTS} attempts`,
    );
  }
  return policy;
}

/** With more, where every attempt fails, a simulation would hardly end. */
const MOST_ATTEMPTS = 100;
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);
/** Options that the scenarios decide, or that they have nothing for. */
const NOT_SIMULATED = new Set([
  'adaptive',
  'bulkhead',
  'clock',
  'deadline',
  'deadLetter',
  'fallback',
  'observer',
  'onRetry',
  'onStop',
  'retryOn',
  'retryOnResult',
  'signal',
]);
const BUDGETS = ['none', 'success', 'window', 'grpc', 'aws', 'aws-classic'];

type Settings = Readonly<Record<string, unknown>>;

function parse(path: string): Settings {
  let value: unknown;
  try {
    value = JSON.parse(readText(path), refuseForbidden);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${path}: ${error.message}`);
    throw new UsageError(`${path} is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(value)) throw new UsageError(`${path} holds no JSON object`);
  for (const key of Object.keys(value)) {
    if (NOT_SIMULATED.has(key)) throw new UsageError(`${path}: ${key} has no part in a simulation; leave it out`);
  }
  return value;
}

function refuseForbidden(key: string, value: unknown): unknown {
  if (FORBIDDEN.has(key)) throw new UsageError(`"${key}" may not be the name of an option`);
  return value;
}

/** What each process gets for one limit: an object to spread, with nothing in it where there is no limit. */
function perProcess<L>(name: string, given: unknown, create: (settings: Settings) => L | undefined): () => object {
  if (given === undefined) return () => ({});
  if (!isObject(given)) throw new TypeError(`${name} must be an object`);
  const { shared = false, ...settings } = given;
  if (typeof shared !== 'boolean') throw new TypeError(`${name}.shared must be true or false`);
  const createNamed = (): L | undefined => {
    try {
      return create(settings);
    } catch (error) {
      throw new TypeError(`in ${name}, ${(error as Error).message}`);
    }
  };
  const common = shared ? createNamed() : undefined;
  return () => {
    const limit = shared ? common : createNamed();
    return limit === undefined ? {} : { [name]: limit };
  };
}

function createBudget({ kind = 'success', ...options }: Settings, clock: Clock): Budget | undefined {
  switch (kind) {
    case 'none':
      return undefined;
    case 'success':
      return new RetryBudget(options);
    case 'window':
      return new WindowBudget({ ...options, clock });
    case 'grpc':
      return new GrpcBudget(options);
    case 'aws':
      return new AwsBudget(options);
    case 'aws-classic':
      return AwsBudget.classic(options);
    default:
      throw new TypeError(`kind is ${JSON.stringify(kind)}; it must be one of ${BUDGETS.join(', ')}`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A clock for trying whether limits can be made. */
const STILL: Clock = {
  now: () => 0,
  wallNow: () => 0,
  random: () => 0,
  sleep: async () => undefined,
  timer: () => () => undefined,
  block: () => undefined,
};
