import {
  AcceptThrottle,
  AwsBudget,
  Bulkhead,
  CircuitBreaker,
  CubicRate,
  GrpcBudget,
  RetryBudget,
  retry,
  WindowBudget,
} from 'retryscope/core';
import { type Contender, measureTime } from '../measure.ts';
import { report } from '../section.ts';

const fn = async (): Promise<number> => 42;
/** What one decision costs is far below what one `await` does, so each contender takes many in a row. */
const DECISIONS = 100;

const budgets = {
  RetryBudget: new RetryBudget({ ratio: 1 }),
  WindowBudget: new WindowBudget({ ratio: 1 }),
  GrpcBudget: new GrpcBudget({ tokenRatio: 1 }),
  AwsBudget: new AwsBudget(),
};
const breaker = new CircuitBreaker();
const rate = new CubicRate();
const throttle = new AcceptThrottle();

const decisions: Contender[] = [
  ...Object.entries(budgets).map(([name, budget]) => ({
    name: `${name}: ask`,
    run: hundred(() => {
      budget.tryWithdraw('transient', undefined);
    }),
  })),
  {
    name: 'CircuitBreaker: enter, leave',
    run: hundred(() => breaker.leave(breaker.tryEnter() ?? 0, 'success')),
  },
  {
    name: 'CubicRate: ask, record',
    run: hundred(() => {
      rate.admit();
      rate.record('success');
    }),
  },
  {
    name: 'AcceptThrottle: ask',
    run: hundred(() => {
      throttle.admit();
    }),
  },
];

const bare = {
  name: `await fn(), ${DECISIONS} times`,
  run: async () => {
    for (let i = 0; i < DECISIONS; i++) await fn();
  },
};
const options = { operation: 'bench', budget: budgets.RetryBudget };
const guarded = { ...options, breaker, bulkhead: new Bulkhead({ limit: 10 }) };
const calls: Contender[] = [
  { name: 'retry with a budget', run: many(async () => await retry(fn, options)) },
  { name: 'retry with a budget, a breaker and a bulkhead', run: many(async () => await retry(fn, guarded)) },
];

const results = await measureTime([bare, ...decisions, ...calls], { rounds: 15, iterations: 400 });

report({
  title: `Limits: ${DECISIONS} decisions, and ${DECISIONS} calls that succeed at once`,
  unit: 'ns',
  results,
  // 100 ns, where one `await` takes 50.
  gates: decisions.map(({ name }) => ({ contender: name, limit: 2 })),
});

function hundred(decide: () => void): () => Promise<void> {
  return async () => {
    for (let i = 0; i < DECISIONS; i++) decide();
  };
}

function many(call: () => Promise<unknown>): () => Promise<void> {
  return async () => {
    for (let i = 0; i < DECISIONS; i++) await call();
  };
}
