import { AwsBudget, GrpcBudget, RetryBudget, WindowBudget } from 'retryscope/core';
import type { LimitEntry } from './file-view.ts';

/** What the rules have to know of a budget. */
export interface BudgetFacts {
  /** Retries in a row that a full budget grants when nothing succeeds; per window for a budget of kind `window`. */
  readonly burst: number;
  /** Tokens that it can hold at most, calls left aside. */
  readonly capacity: number;
  /** What the cheapest, and the dearest, retry takes. */
  readonly cheapest: number;
  readonly dearest: number;
  /** Retries per call in the long run, `Infinity` for no bound; undefined where it depends on what fails. */
  readonly retriesPerCall: number | undefined;
}

/** Works out what a budget of the file does, by making one. */
export function budgetFacts({ kind, settings }: LimitEntry): BudgetFacts {
  const { kind: _kind, ...options } = settings;
  switch (kind) {
    case 'window': {
      const { ratio = 0.2, minPerSecond = 0, cost } = options as WindowSettings;
      const capacity = new WindowBudget(options).capacity;
      const { cheapest, dearest } = costs(cost ?? 1);
      const retriesPerCall = minPerSecond > 0 ? Infinity : per(ratio, cheapest);
      return { burst: per(capacity, cheapest), capacity, cheapest, dearest, retriesPerCall };
    }
    case 'grpc': {
      const { tokenRatio = 0.1 } = options as { tokenRatio?: number };
      const { capacity } = new GrpcBudget(options);
      // Retries stop at half of the tokens, and each failure takes one.
      return { burst: capacity / 2, capacity, cheapest: 0, dearest: 0, retriesPerCall: tokenRatio };
    }
    case 'aws':
    case 'aws-classic': {
      const isClassic = kind === 'aws-classic';
      const { capacity } = isClassic ? AwsBudget.classic(options) : new AwsBudget(options);
      const { cost } = options as WindowSettings;
      const { cheapest, dearest } = costs(
        isClassic ? { transient: 5, throttled: 5, timeout: 10 } : (cost ?? { transient: 14, throttled: 5 }),
      );
      // A retry that succeeds gets its tokens back.
      return { burst: per(capacity, cheapest), capacity, cheapest, dearest, retriesPerCall: undefined };
    }
    default: {
      const { capacity, ratio } = new RetryBudget(options);
      const { cheapest, dearest } = costs((options as WindowSettings).cost ?? 1);
      return { burst: per(capacity, cheapest), capacity, cheapest, dearest, retriesPerCall: per(ratio, cheapest) };
    }
  }
}

interface WindowSettings {
  readonly ratio?: number;
  readonly minPerSecond?: number;
  readonly cost?: Cost;
}

type Cost = number | { readonly transient?: number; readonly throttled?: number; readonly timeout?: number };

function costs(cost: Cost): { cheapest: number; dearest: number } {
  const {
    transient = 1,
    throttled = transient,
    timeout = transient,
  } = typeof cost === 'number' ? { transient: cost } : cost;
  const all = [transient, throttled, timeout];
  return { cheapest: Math.min(...all), dearest: Math.max(...all) };
}

/** Retries that cost nothing have no bound. */
function per(tokens: number, cost: number): number {
  return cost === 0 ? Infinity : tokens / cost;
}
