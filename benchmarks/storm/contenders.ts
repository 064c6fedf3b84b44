import { RedisBudget, type RedisBudgetOptions, type RedisCommands } from 'retryscope/budget-redis';
import {
  AwsBudget,
  type Budget,
  CircuitBreaker,
  type Clock,
  type DepositSource,
  GrpcBudget,
  RetryBudget,
  type RetryOptions,
  WindowBudget,
} from 'retryscope/core';
import { BudgetServer } from './budget-server.ts';
import { RECOMMENDED_BUDGET, RECOMMENDED_POLICY } from './recommended.ts';

/** The policy of one client process, without what the setting decides. */
export type Process = Omit<RetryOptions, 'clock' | 'operation' | 'signal'>;

/** One way of retrying, for any number of client processes. */
export interface Contender {
  readonly name: string;
  /** Called once for a run of `count` processes; what it returns is called once for each of them. */
  processes(clock: Clock, count: number): () => Process;
}

/** Every process has its own of whatever `create` makes. */
export function each(name: string, create: (clock: Clock) => Process): Contender {
  return { name, processes: clock => () => create(clock) };
}

/** All processes have one and the same. */
export function shared(name: string, create: (clock: Clock) => Process): Contender {
  return {
    name,
    processes: clock => {
      const process = create(clock);
      return () => process;
    },
  };
}

/** Every process has the real fleet budget, and all of them ask the same store. */
function fleet(name: string, policy: Process, terms: FleetTerms, store: 'answers' | 'is down'): Contender {
  return {
    name,
    processes: (clock, count) => {
      const redis = store === 'answers' ? new BudgetServer(clock, STORE_LATENCY_MS) : DOWN;
      const options = { name: 'fleet', redis, expectedInstances: count, clock, ...terms };
      return () => ({ ...policy, budget: new RedisBudget(options) });
    },
  };
}

type FleetTerms = Pick<RedisBudgetOptions, 'capacity' | 'ratio'>;

const STORE_LATENCY_MS = 1;
const REFUSED = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
const DOWN: RedisCommands = { evalsha: () => Promise.reject(REFUSED), eval: () => Promise.reject(REFUSED) };

const AT_ONCE = { initialDelay: 0, jitter: false } as const;

/** The contenders by name. `maxAttempts` counts the first attempt, as everywhere. */
export function contenders(maxAttempts: number): Readonly<Record<ContenderName, Contender>> {
  const policy = { ...AT_ONCE, maxAttempts };
  const aws = { ...AT_ONCE, maxAttempts: Math.min(maxAttempts, 3) };
  return {
    none: each('no retry', () => ({ maxAttempts: 1 })),
    unlimited: each('retries without a budget', () => policy),
    jitter: each('the same, full jitter 0.1 to 10 s', () => ({
      maxAttempts,
      initialDelay: 100,
      maxDelay: 10_000,
      jitter: 'full',
    })),
    slow: each('the same, backoff 20 and 40 s', () => ({ maxAttempts, initialDelay: 20_000, jitter: 'full' })),
    starts20: each('20 % of starts', () => ({ ...policy, budget: new BucketOfStarts({ ratio: 0.2 }) })),
    starts10: each('10 % of starts', () => ({ ...policy, budget: new BucketOfStarts({ ratio: 0.1 }) })),
    starts7: each('7 % of starts', () => ({ ...policy, budget: new BucketOfStarts({ ratio: 0.07 }) })),
    starts5: each('5 % of starts', () => ({ ...policy, budget: new BucketOfStarts({ ratio: 0.05 }) })),
    window20: each('20 % of starts in 10 s (Finagle)', clock => ({ ...policy, budget: new WindowBudget({ clock }) })),
    windowSuccesses: each('the same, of successes', clock => ({ ...policy, budget: new WindowOfSuccesses({ clock }) })),
    finagle: each('20 % of starts + 10/s (Linkerd)', clock => ({
      ...policy,
      budget: new WindowBudget({ ratio: 0.2, minPerSecond: 10, clock }),
    })),
    successes20: each('20 % of successes', () => ({ ...policy, budget: new RetryBudget({ ratio: 0.2 }) })),
    successes10: each('RetryBudget: 10 % of successes', () => ({ ...policy, budget: new RetryBudget() })),
    shared10: shared('the same, one for all', () => ({ ...policy, budget: new RetryBudget() })),
    fleet10: fleet('RedisBudget, 10 tokens', policy, { capacity: 10, ratio: 0.1 }, 'answers'),
    fleetDown: fleet('the same, Redis is down', policy, { capacity: 10, ratio: 0.1 }, 'is down'),
    capacity100: each('10 % of successes, 100 tokens', () => ({
      ...policy,
      budget: new RetryBudget({ capacity: 100 }),
    })),
    grpc10: each('gRPC, 10 tokens, 0.1', () => ({ ...policy, budget: new GrpcBudget() })),
    grpc1000: each('gRPC, 1000 tokens, 0.1', () => ({ ...policy, budget: new GrpcBudget({ maxTokens: 1000 }) })),
    aws5: each('AWS classic, 500 tokens, 5', () => ({ ...aws, budget: new AwsBudget({ cost: 5 }) })),
    aws14: each('AWS 2026, 500 tokens, 14', () => ({ ...aws, budget: new AwsBudget() })),
    gate10: each('retries below 10 % failures', () => ({ ...policy, budget: new FailureGate() })),
    breaker: each('CircuitBreaker, half of 10 s fail', clock => ({
      ...policy,
      breaker: new CircuitBreaker({ trip: { kind: 'time', failureRatio: 0.5 }, openMs: 5000, clock }),
    })),
    recommended: each('recommended', () => ({ ...RECOMMENDED_POLICY, budget: new RetryBudget(RECOMMENDED_BUDGET) })),
    sharedRecommended: shared('recommended, one for all', () => ({
      ...RECOMMENDED_POLICY,
      budget: new RetryBudget(RECOMMENDED_BUDGET),
    })),
    fleetRecommended: fleet('recommended, RedisBudget', RECOMMENDED_POLICY, { ratio: 0.15, capacity: 20 }, 'answers'),
  };
}

/** A bucket like ours with another source of tokens: every call that starts, whether it succeeds or not. */
class BucketOfStarts extends RetryBudget {
  override deposit(source: DepositSource): void {
    if (source === 'call') super.deposit('success');
  }
}

/** Finagle's window with another source of tokens, to tell which of the two makes the difference. */
class WindowOfSuccesses extends WindowBudget {
  override deposit(source: DepositSource): void {
    if (source === 'success') super.deposit('call');
  }
}

/** A breaker around the retries alone, as in Brooker's post: none while a tenth or more of the latest attempts fail. */
class FailureGate implements Budget {
  readonly name = 'gate';
  #attempts = 0;
  #failures = 0;

  balance(): number {
    return 0;
  }

  deposit(source: DepositSource): void {
    if (source === 'success') this.#count(0);
  }

  charge(): void {
    this.#count(1);
  }

  tryWithdraw(): number | undefined {
    return this.#failures < 0.1 * this.#attempts ? 0 : undefined;
  }

  /** The latest hundred attempts or so. */
  #count(failed: 0 | 1): void {
    this.#attempts = this.#attempts * 0.99 + 1;
    this.#failures = this.#failures * 0.99 + failed;
  }
}

/** Names of contenders. */
export type ContenderName =
  | 'none'
  | 'unlimited'
  | 'jitter'
  | 'slow'
  | 'starts20'
  | 'starts10'
  | 'starts7'
  | 'starts5'
  | 'window20'
  | 'windowSuccesses'
  | 'finagle'
  | 'successes20'
  | 'successes10'
  | 'shared10'
  | 'fleet10'
  | 'fleetDown'
  | 'capacity100'
  | 'grpc10'
  | 'grpc1000'
  | 'aws5'
  | 'aws14'
  | 'gate10'
  | 'breaker'
  | 'recommended'
  | 'sharedRecommended'
  | 'fleetRecommended';
