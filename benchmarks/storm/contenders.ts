import {
  AwsBudget,
  type Budget,
  type Clock,
  type DepositSource,
  GrpcBudget,
  RetryBudget,
  type RetryOptions,
  WindowBudget,
} from 'retryscope/core';
import { RECOMMENDED_BUDGET, RECOMMENDED_POLICY } from './recommended.ts';

/** The policy of one client process, without what the setting decides. */
export type Process = Omit<RetryOptions, 'clock' | 'operation' | 'signal'>;

/** One way of retrying, for any number of client processes. */
export interface Contender {
  readonly name: string;
  /** Called once for a run; what it returns is called once for each process of the run. */
  processes(clock: Clock): () => Process;
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

const AT_ONCE = { initialDelay: 0, jitter: false } as const;

/** The contenders by name. `maxAttempts` counts the first attempt, as everywhere. */
export function contenders(maxAttempts: number): Readonly<Record<ContenderName, Contender>> {
  const policy = { ...AT_ONCE, maxAttempts };
  const aws = { ...AT_ONCE, maxAttempts: Math.min(maxAttempts, 3) };
  return {
    none: each('no retry', () => ({ maxAttempts: 1 })),
    unlimited: each('retries without a budget', () => policy),
    jitter: each('the same with full jitter, 0.1 to 10 s', () => ({
      maxAttempts,
      initialDelay: 100,
      maxDelay: 10_000,
      jitter: 'full',
    })),
    starts20: each('20 % of starts', () => ({ ...policy, budget: new BucketOfStarts({ ratio: 0.2 }) })),
    starts10: each('10 % of starts', () => ({ ...policy, budget: new BucketOfStarts({ ratio: 0.1 }) })),
    starts7: each('7 % of starts', () => ({ ...policy, budget: new BucketOfStarts({ ratio: 0.07 }) })),
    starts5: each('5 % of starts', () => ({ ...policy, budget: new BucketOfStarts({ ratio: 0.05 }) })),
    windowSuccesses: each('Finagle window, funded by successes', clock => ({
      ...policy,
      budget: new WindowOfSuccesses({ ratio: 0.2, minPerSecond: 0, clock }),
    })),
    finagle: each('Finagle, Linkerd: 20 % of starts + 10/s', clock => ({
      ...policy,
      budget: new WindowBudget({ ratio: 0.2, minPerSecond: 10, clock }),
    })),
    successes20: each('20 % of successes', () => ({ ...policy, budget: new RetryBudget({ ratio: 0.2 }) })),
    successes10: each('RetryBudget: 10 % of successes', () => ({ ...policy, budget: new RetryBudget() })),
    shared10: shared('the same, shared by the fleet', () => ({ ...policy, budget: new RetryBudget() })),
    capacity100: each('10 % of successes, 100 tokens', () => ({
      ...policy,
      budget: new RetryBudget({ capacity: 100 }),
    })),
    grpc10: each('gRPC, 10 tokens, 0.1', () => ({ ...policy, budget: new GrpcBudget() })),
    grpc1000: each('gRPC, 1000 tokens, 0.1', () => ({ ...policy, budget: new GrpcBudget({ maxTokens: 1000 }) })),
    aws5: each('AWS classic, 500 tokens, 5', () => ({ ...aws, budget: new AwsBudget({ cost: 5 }) })),
    aws14: each('AWS 2026, 500 tokens, 14', () => ({ ...aws, budget: new AwsBudget() })),
    gate10: each('retries only below 10 % failures', () => ({ ...policy, budget: new FailureGate() })),
    recommended: each('recommended', () => ({ ...RECOMMENDED_POLICY, budget: new RetryBudget(RECOMMENDED_BUDGET) })),
    sharedRecommended: shared('recommended, shared by the fleet', () => ({
      ...RECOMMENDED_POLICY,
      budget: new RetryBudget(RECOMMENDED_BUDGET),
    })),
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
  | 'starts20'
  | 'starts10'
  | 'starts7'
  | 'starts5'
  | 'windowSuccesses'
  | 'finagle'
  | 'successes20'
  | 'successes10'
  | 'shared10'
  | 'capacity100'
  | 'grpc10'
  | 'grpc1000'
  | 'aws5'
  | 'aws14'
  | 'gate10'
  | 'recommended'
  | 'sharedRecommended';
