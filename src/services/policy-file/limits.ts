import type { AdaptiveLimit, Breaker, Budget, ConcurrencyLimit } from '../../engine/limits.ts';
import { message } from '../../engine/option-checks.ts';
import { AcceptThrottle } from '../../limits/accept-throttle.ts';
import { AwsBudget } from '../../limits/aws-budget.ts';
import { Bulkhead, type BulkheadOptions } from '../../limits/bulkhead.ts';
import { CircuitBreaker } from '../../limits/circuit-breaker.ts';
import { CubicRate } from '../../limits/cubic-rate.ts';
import { GrpcBudget } from '../../limits/grpc-budget.ts';
import { limitRegistry } from '../../limits/registry.ts';
import { RetryBudget } from '../../limits/retry-budget.ts';
import { WindowBudget } from '../../limits/window-budget.ts';
import { isSettings, type Settings } from './parse.ts';

/** The limits of a policy file, by the name of their section there. */
export interface LimitsBySection {
  readonly budgets: Budget;
  readonly breakers: Breaker;
  readonly adaptives: AdaptiveLimit;
  readonly bulkheads: ConcurrencyLimit;
}

/** Where limits stand in a policy file. */
export type Section = keyof LimitsBySection;

/** The option of a policy that names a limit of a section. */
export const OPTION_OF: Readonly<Record<Section, 'budget' | 'breaker' | 'adaptive' | 'bulkhead'>> = {
  budgets: 'budget',
  breakers: 'breaker',
  adaptives: 'adaptive',
  bulkheads: 'bulkhead',
};

/** The kinds that a section has; the first is the default. */
export const KINDS: Readonly<Record<Section, readonly string[]>> = {
  budgets: ['success', 'window', 'grpc', 'aws', 'aws-classic'],
  breakers: ['breaker'],
  adaptives: ['cubic', 'accept'],
  bulkheads: ['bulkhead'],
};

/**
 * Makes a limit by its settings: those of the class, and `kind` where there are several.
 *
 * @throws TypeError or RangeError, naming the option, the value and what is allowed
 */
export function createLimit<S extends Section>(section: S, name: string, settings: unknown): LimitsBySection[S] {
  if (!isSettings(settings)) throw new TypeError(message(name, settings, 'an object of settings'));
  const { kind = KINDS[section][0], ...options } = settings;
  if (!KINDS[section].includes(kind as string)) {
    throw new TypeError(message('kind', kind, `one of ${KINDS[section].join(', ')}`));
  }
  return CREATE[section](kind as string, { name, ...options }) as LimitsBySection[S];
}

/** Shows a limit no more: a file has been read anew, and has it no longer. Calls under way still ask it. */
export function retire(limit: object): void {
  limitRegistry.budgets.delete(limit as RetryBudget);
  limitRegistry.breakers.delete(limit as CircuitBreaker);
}

const CREATE: { readonly [S in Section]: (kind: string, options: Settings) => LimitsBySection[S] } = {
  budgets: createBudget,
  breakers: (_kind, options) => new CircuitBreaker(options),
  adaptives: (kind, options) => (kind === 'accept' ? new AcceptThrottle(options) : new CubicRate(options)),
  bulkheads: (_kind, options) => new Bulkhead(options as unknown as BulkheadOptions),
};

function createBudget(kind: string, options: Settings): Budget {
  switch (kind) {
    case 'window':
      return new WindowBudget(options);
    case 'grpc':
      return new GrpcBudget(options);
    case 'aws':
      return new AwsBudget(options);
    case 'aws-classic':
      if (options.cost !== undefined) throw new TypeError('cost is fixed for kind aws-classic; kind aws takes one');
      return AwsBudget.classic(options);
    default:
      return new RetryBudget(options);
  }
}
