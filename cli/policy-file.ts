import { readFileSync, statSync } from 'node:fs';
import {
  AwsBudget,
  type Budget,
  CircuitBreaker,
  type CircuitBreakerOptions,
  type Clock,
  GrpcBudget,
  RetryBudget,
  type RetryOptions,
  RetryPolicy,
  WindowBudget,
} from 'retryscope/core';
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
      const nextBudget = perProcess(budget, settings => createBudget(settings, clock));
      const nextBreaker = perProcess(breaker, settings => new CircuitBreaker({ ...(settings as object), clock }));
      return (): RetryOptions => ({ ...options, ...nextBudget('budget'), ...nextBreaker('breaker') });
    },
  };
  try {
    // What is wrong is to be told before anything runs.
    new RetryPolicy(policy.processes(STILL)());
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
  return policy;
}

/** Bytes: no policy needs a tenth of it. */
const MAX_SIZE = 64 * 1024;
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);
const ALLOWED = new Set([
  'maxAttempts',
  'initialDelay',
  'maxDelay',
  'exponentialBase',
  'jitter',
  'backoff',
  'attemptTimeout',
  'maxElapsed',
  'nested',
  'budget',
  'breaker',
]);
const BUDGETS = ['none', 'success', 'window', 'grpc', 'aws', 'aws-classic'];

function parse(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    if (statSync(path).size > MAX_SIZE) throw new UsageError(`${path} is larger than ${MAX_SIZE} bytes`);
    value = JSON.parse(readFileSync(path, 'utf8'), refuseForbidden);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read: ${message}`);
  }
  if (!isObject(value)) throw new UsageError(`${path} holds no JSON object`);
  for (const key of Object.keys(value)) {
    if (!ALLOWED.has(key)) {
      throw new UsageError(`${path}: "${key}" is no option here; there are ${[...ALLOWED].join(', ')}`);
    }
  }
  return value;
}

function refuseForbidden(key: string, value: unknown): unknown {
  if (FORBIDDEN.has(key)) throw new UsageError(`"${key}" may not be the name of an option`);
  return value;
}

type Settings = Readonly<Record<string, unknown>>;

/** What each process gets for one limit: an object to spread, with nothing in it where there is no limit. */
function perProcess<L>(given: unknown, create: (settings: Settings) => L | undefined): (name: string) => object {
  if (given === undefined) return () => ({});
  if (!isObject(given)) throw new UsageError('budget and breaker must be objects');
  const { shared = false, ...settings } = given;
  if (typeof shared !== 'boolean') throw new UsageError('"shared" must be true or false');
  const common = shared ? create(settings) : undefined;
  return name => {
    const limit = shared ? common : create(settings);
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
      throw new TypeError(`budget.kind is ${JSON.stringify(kind)}; it must be ${BUDGETS.join(', ')}`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A clock for trying whether limits can be made. */
const STILL: NonNullable<CircuitBreakerOptions['clock']> = {
  now: () => 0,
  wallNow: () => 0,
  random: () => 0,
  sleep: async () => undefined,
  timer: () => () => undefined,
  block: () => undefined,
};
