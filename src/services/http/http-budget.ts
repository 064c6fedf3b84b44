import { RetryBudget } from '../../limits/retry-budget.ts';
import { sharedBudget } from '../service-policy.ts';

/**
 * The budget of a host that all HTTP policies of the process share which name none of their own, so that a host which is
 * down takes no retries from the others: a {@link RetryBudget} with its defaults, called `http api.example.com`. It is
 * made when it is first needed. The hosts after the first hundred share one called `http`.
 *
 * @param host host of the URL, with its port where that is not the usual one, as in `url.host`. Default: the budget
 * called `http`
 */
export function httpBudget(host: string = ''): RetryBudget {
  // Hosts may come from anywhere, and be of any length.
  const key = host.slice(0, LONGEST_HOST);
  const known = budgets.get(key);
  if (known !== undefined) return known;
  if (key === '' || budgets.size >= MOST_HOSTS) return sharedBudget('http');
  const budget = new RetryBudget({ name: `http ${key}` });
  budgets.set(key, budget);
  return budget;
}

/** Half of the budgets that the metrics can show. */
const MOST_HOSTS = 100;
/** With the kind before it, as long as the name of a budget may be. */
const LONGEST_HOST = 195;

/** All copies of the package in a process spend from the same budgets. */
const budgets = /* @__PURE__ */ sharedMap();

function sharedMap(): Map<string, RetryBudget> {
  const key = Symbol.for('retryscope.http-budgets.1');
  const shared = globalThis as { [key: symbol]: Map<string, RetryBudget> | undefined };
  shared[key] ??= new Map();
  return shared[key];
}
